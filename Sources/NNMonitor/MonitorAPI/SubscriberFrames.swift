import Compression
import MonitorCore
package import NIOCore

/// A message as it is sent to the subscribers of one variant.
package struct LiveFrame: Sendable {
    /// The bytes on the wire.
    package let bytes: ByteBuffer
    /// The same bytes as a part of a compressed event stream; `nil` elsewhere.
    let piece: GzipPiece?
    /// The number of the step in its run, in an event stream; `nil` for a message that is not a step.
    let seq: UInt64?

    /// - Parameter bytes: the bytes on the wire.
    package init(_ bytes: ByteBuffer) {
        self.bytes = bytes
        piece = nil
        seq = nil
    }

    /// A part of an event stream.
    ///
    /// - Parameters:
    ///   - text: the text of events.
    ///   - seq: the number of the last step in the text.
    ///   - isCompressed: whether the stream is compressed.
    init(events text: ByteBuffer, seq: UInt64? = nil, isCompressed: Bool) {
        piece = isCompressed ? GzipPiece(text) : nil
        bytes = piece?.bytes ?? text
        self.seq = seq
    }
}

/// The frames of one connection, from the items of its queue: the layers of a structure come once, before the first
/// step that needs them.
struct SubscriberFrames {
    private let renderer: WireFrameRenderer
    private let variant: WireFrameRenderer.Variant
    /// The structures whose layers were sent.
    var structures = SentStructures()

    /// - Parameters:
    ///   - renderer: makes the frames of messages for this connection alone.
    ///   - variant: the connection's frames.
    init(_ renderer: WireFrameRenderer, _ variant: WireFrameRenderer.Variant) {
        self.renderer = renderer
        self.variant = variant
    }

    /// Passes the frames of an item to `write`, in their order.
    mutating func write(_ item: QueueItem<LiveFrame>, _ write: (LiveFrame) -> Void) {
        switch item {
        case .frame(let frame): write(frame)
        case .step(let frame, let layers):
            if structures.insert(layers.id) { write(layers.frame) }
            write(frame)
        case .lagged(let skipped):
            write(renderer.render(SubscriberMessages.lagged(skipped), seq: nil, variant: variant))
        }
    }
}
