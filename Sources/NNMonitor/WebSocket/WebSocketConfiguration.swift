package import NIOCore

/// How a WebSocket connection behaves.
package struct WebSocketConfiguration: Sendable {
    /// Bytes of a message at most, after inflating; beyond it the connection is closed with 1009.
    package var maximumMessageSize: Int
    /// Time between two pings.
    package var pingInterval: TimeAmount
    /// Time within which something must come from the peer after a ping; otherwise it is dropped.
    package var pongTimeout: TimeAmount
    /// Time for the peer's half of the close handshake.
    package var closeTimeout: TimeAmount
    /// Whether permessage-deflate is taken when a client offers it.
    package var deflate: Bool
    /// Times that a compressed message may expand; beyond it the connection is closed with 1009.
    package var maximumExpansionRatio: Int

    package init(
        maximumMessageSize: Int = 65_536, pingInterval: TimeAmount = .seconds(20),
        pongTimeout: TimeAmount = .seconds(20), closeTimeout: TimeAmount = .seconds(5), deflate: Bool = true,
        maximumExpansionRatio: Int = 1100
    ) {
        self.maximumMessageSize = maximumMessageSize
        self.pingInterval = pingInterval
        self.pongTimeout = pongTimeout
        self.closeTimeout = closeTimeout
        self.deflate = deflate
        self.maximumExpansionRatio = maximumExpansionRatio
    }
}
