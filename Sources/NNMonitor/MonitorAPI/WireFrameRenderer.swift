import MonitorCore
package import NIOCore
import WebSocket

/// Renders messages as WebSocket frames: one for each form of compression that subscribers have negotiated.
package struct WireFrameRenderer: FrameRenderer {
    /// How a subscriber's messages are compressed. Each message is compressed separately, so only the window size
    /// matters.
    package enum Variant: Hashable, Sendable {
        /// Not compressed.
        case plain
        /// permessage-deflate with a window of 2^`windowBits` bytes, one of two sizes.
        case deflate(windowBits: Int)

        init(_ parameters: DeflateParameters?) {
            self = parameters?.outgoingWindowBits.map { .deflate(windowBits: $0) } ?? .plain
        }
    }

    private let plain = WebSocketFrameEncoder(deflate: nil)
    /// For windows of 2^8 to 2^15 bytes. Each creates its zlib stream on first use.
    private let deflating = (8...15).map {
        WebSocketFrameEncoder(deflate: DeflateParameters(serverMaxWindowBits: $0))
    }

    /// Makes one unfragmented text frame.
    package func render(_ json: [UInt8], variant: Variant) -> ByteBuffer {
        switch variant {
        case .plain: plain.text(ByteBuffer(bytes: json))
        case .deflate(let bits): deflating[bits - 8].text(ByteBuffer(bytes: json))
        }
    }

    /// The size of a frame, in bytes.
    package func size(of frame: ByteBuffer) -> Int { frame.readableBytes }
}
