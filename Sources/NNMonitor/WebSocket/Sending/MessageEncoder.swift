import NIOCore

/// Encodes the messages that one connection sends, and checks their order.
struct MessageEncoder {
    private let deflate: DeflateParameters?
    private var order = FragmentOrderCheck()

    /// - Parameter deflate: the negotiated parameters of permessage-deflate; `nil`: no compression.
    init(deflate: DeflateParameters?) { self.deflate = deflate }

    func text(_ payload: ByteBuffer) throws(WebSocketSendError) -> ByteBuffer {
        try order.admitMessage()
        // The encoder is not kept: zlib's state would be far larger than the messages of such a connection.
        return WebSocketFrameEncoder(deflate: deflate).text(payload)
    }

    func binary(_ payload: ByteBuffer) throws(WebSocketSendError) -> ByteBuffer {
        try order.admitMessage()
        return WebSocketFrameEncoder(deflate: deflate).binary(payload)
    }

    /// Checks an encoded frame, which is sent unchanged.
    mutating func prepared(_ frame: ByteBuffer) throws(WebSocketSendError) -> ByteBuffer {
        try order.admit(frame: frame)
        return frame
    }
}
