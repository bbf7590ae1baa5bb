import MonitorCore
import NIOCore
import WebSocketServer

/// Sends the `run_history` message: one fragmented message, encoded and compressed piece by piece.
enum HistoryMessage {
    /// - Parameters:
    ///   - snapshot: the run.
    ///   - form: how much of each step.
    ///   - deflate: what the connection negotiated.
    ///   - channel: the connection; nothing else may write messages to it until this returns.
    /// - Throws: when the connection closes, or the task is cancelled.
    static func send(
        _ snapshot: RunSnapshot, form: StepForm, deflate: DeflateParameters?, to channel: any Channel
    ) async throws {
        var encoder = HistoryEncoder.message(snapshot, form: form)
        var writer = JSONWriter()
        var stream = WebSocketTextStream(deflate: deflate)
        var onItsWay: EventLoopFuture<Void>?
        var isLast = false
        while !isLast {
            try Task.checkCancellation()
            isLast = encoder.next(into: &writer)
            guard let frame = try stream.frame(ByteBuffer(bytes: writer.bytes), isLast: isLast) else { continue }
            // One piece is made while the one before it is on its way: never more than two are in memory.
            try await onItsWay?.get()
            onItsWay = channel.writeAndFlush(WebSocketOutbound.prepared(frame))
        }
        try await onItsWay?.get()
    }
}
