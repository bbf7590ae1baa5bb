import MonitorCore
package import NIOCore

/// A message as it is sent to the subscribers of one variant.
package struct LiveFrame: Sendable {
    /// The bytes on the wire.
    package let bytes: ByteBuffer

    /// - Parameter bytes: the bytes on the wire.
    package init(_ bytes: ByteBuffer) { self.bytes = bytes }
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
