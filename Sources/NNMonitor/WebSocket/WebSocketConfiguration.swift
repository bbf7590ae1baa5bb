package import NIOCore

/// The limits and timeouts of a WebSocket connection.
package struct WebSocketConfiguration: Sendable {
    /// The maximum size of a received message in bytes, after decompression. Larger ones close the connection with
    /// 1009.
    package var maximumMessageSize: Int
    /// The time between two pings.
    package var pingInterval: TimeAmount
    /// The time after a ping within which any bytes must arrive from the peer; otherwise the channel is closed.
    package var pongTimeout: TimeAmount
    /// The time to wait for the peer's close frame after ours.
    package var closeTimeout: TimeAmount
    /// Whether to accept permessage-deflate (RFC 7692) if a client offers it.
    package var deflate: Bool
    /// The maximum ratio of decompressed to compressed size of a message. Larger ones close the connection with 1008.
    package var maximumExpansionRatio: Int
    /// The decompressed size of a message in bytes up to which its ratio is not limited: a short text that repeats
    /// itself may have any ratio.
    package var expansionFloor: Int
    /// The maximum number of messages and control frames a second, averaged over 10 seconds. More close the connection
    /// with 1008.
    package var maximumMessageRate: Int

    /// Makes a configuration; see the properties.
    package init(
        maximumMessageSize: Int = 65_536, pingInterval: TimeAmount = .seconds(20),
        pongTimeout: TimeAmount = .seconds(20), closeTimeout: TimeAmount = .seconds(5), deflate: Bool = true,
        maximumExpansionRatio: Int = 32, expansionFloor: Int = 16_384, maximumMessageRate: Int = 200
    ) {
        self.maximumMessageSize = maximumMessageSize
        self.pingInterval = pingInterval
        self.pongTimeout = pongTimeout
        self.closeTimeout = closeTimeout
        self.deflate = deflate
        self.maximumExpansionRatio = maximumExpansionRatio
        self.expansionFloor = expansionFloor
        self.maximumMessageRate = maximumMessageRate
    }
}
