import MonitorCore
package import NIOCore
import WebSocket

/// Makes WebSocket frames of messages: one for each way in which subscribers' messages are compressed.
package struct WireFrameRenderer: FrameRenderer {
    /// How a subscriber's messages are compressed. Each is compressed by itself, so that only the window matters.
    package enum Variant: Hashable, Sendable {
        case plain
        case deflate(windowBits: Int)

        init(_ parameters: DeflateParameters?) {
            if let parameters, parameters.compressesOutgoing {
                self = .deflate(windowBits: parameters.serverMaxWindowBits)
            } else {
                self = .plain
            }
        }
    }

    private let plain = WebSocketFrameEncoder(deflate: nil)
    /// For windows of 2^8 to 2^15 bytes; each makes its zlib stream when it is first used.
    private let deflating = (8...15).map {
        WebSocketFrameEncoder(deflate: DeflateParameters(serverMaxWindowBits: $0))
    }

    package func render(_ json: [UInt8], variant: Variant) -> ByteBuffer {
        switch variant {
        case .plain: plain.text(ByteBuffer(bytes: json))
        case .deflate(let bits): deflating[bits - 8].text(ByteBuffer(bytes: json))
        }
    }

    package func size(of frame: ByteBuffer) -> Int { frame.readableBytes }
}
