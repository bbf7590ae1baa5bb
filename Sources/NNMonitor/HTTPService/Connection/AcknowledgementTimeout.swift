import NIOCore

extension Channel {
    /// Closes the connection when the peer's host has acknowledged no data for this long. Without it a peer that has
    /// vanished, and to which little is sent, is noticed after a quarter of an hour. Must be called on the event loop.
    func setAcknowledgementTimeout(_ timeout: TimeAmount) {
        #if os(Linux)
            // TCP_USER_TIMEOUT of tcp(7), in milliseconds. A socket that is not TCP has no such option.
            let option = ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: 18))
            let milliseconds = min(timeout.nanoseconds / 1_000_000, Int64(CInt.max))
            try? syncOptions?.setOption(option, value: Int(milliseconds))
        #endif
    }
}
