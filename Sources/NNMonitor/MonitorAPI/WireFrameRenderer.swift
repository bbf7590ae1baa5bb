import MonitorCore
import NIOCore
import WebSocket

/// Renders messages as WebSocket frames in three variants: not compressed, and compressed with one of two windows; and
/// as Server-Sent Events.
package struct WireFrameRenderer: FrameRenderer {
    /// How a subscriber's messages are compressed. Each message is compressed separately, so only the window size
    /// matters.
    package enum Variant: Hashable, Sendable {
        /// Not compressed.
        case plain
        /// permessage-deflate with the window of `DeflateParameters.sharedWindowBits`.
        case deflate(windowBits: Int)
        /// Server-Sent Events, as plain text or as part of a gzip stream.
        case events(hasIDs: Bool, isCompressed: Bool)

        init(_ parameters: DeflateParameters?) {
            self = parameters?.sharedWindowBits.map { .deflate(windowBits: $0) } ?? .plain
        }
    }

    private let plain = WebSocketFrameEncoder(deflate: nil)
    /// Each creates its zlib stream on first use.
    private let wide = WebSocketFrameEncoder(deflate: DeflateParameters(serverMaxWindowBits: 15))
    private let narrow = WebSocketFrameEncoder(deflate: DeflateParameters(serverMaxWindowBits: 9))

    /// Makes one unfragmented text frame, or one event.
    package func render(_ json: [UInt8], seq: UInt64?, variant: Variant) -> LiveFrame {
        switch variant {
        case .plain: LiveFrame(plain.text(ByteBuffer(bytes: json)))
        case .deflate(windowBits: 15): LiveFrame(wide.text(ByteBuffer(bytes: json)))
        case .deflate: LiveFrame(narrow.text(ByteBuffer(bytes: json)))
        case .events(let hasIDs, let isCompressed):
            LiveFrame(events: EventText.event(json, id: hasIDs ? seq : nil), seq: seq, isCompressed: isCompressed)
        }
    }

    /// The size of a frame, in bytes.
    package func size(of frame: LiveFrame) -> Int { frame.bytes.readableBytes }
}
