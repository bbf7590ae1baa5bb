import MonitorCore
import NIOCore
import WebSocketServer

/// Sends the `run_history` message: one fragmented message, encoded and compressed piece by piece.
enum HistoryMessage {
    /// Bytes of text in a piece; the first is smaller, so that it comes soon.
    private static let pieceSize = 256 * 1024
    private static let firstSize = 32 * 1024

    /// - Parameters:
    ///   - snapshot: the run.
    ///   - form: how much of each step.
    ///   - deflate: what the connection negotiated.
    ///   - channel: the connection; nothing else may write messages to it until this returns.
    /// - Throws: when the connection closes, or the task is cancelled.
    static func send(
        _ snapshot: RunSnapshot, form: StepForm, deflate: DeflateParameters?, to channel: any Channel
    ) async throws {
        let frames = WebSocketTextPieces(deflate: deflate)
        var onItsWay: EventLoopFuture<Void>?
        var pair = await Pair(after: .message(snapshot, form: form), isFirst: true)
        while true {
            try Task.checkCancellation()
            let current = pair
            // Two pieces are compressed at the same time, and the next two encoded meanwhile; the two before are on their
            // way. No more are in memory.
            async let one = Self.frame(current.one, by: frames)
            async let other = Self.frame(current.other, by: frames)
            async let following = current.isLast ? nil : Pair(after: current.encoder, isFirst: false)
            for frame in [try await one, try await other] {
                guard let frame else { continue }
                try await onItsWay?.get()
                onItsWay = channel.writeAndFlush(WebSocketOutbound.prepared(frame))
            }
            guard let next = await following else { break }
            pair = next
        }
        try await onItsWay?.get()
    }

    @concurrent
    private static func frame(_ piece: Piece?, by frames: WebSocketTextPieces) async throws -> ByteBuffer? {
        guard let piece else { return nil }
        return try frames.frame(ByteBuffer(bytes: piece.text), isFirst: piece.isFirst, isLast: piece.isLast)
    }

    /// A piece of the text.
    private struct Piece: Sendable {
        let text: [UInt8]
        let isFirst: Bool
        let isLast: Bool

        init(_ encoder: inout HistoryEncoder, isFirst: Bool) {
            let size = isFirst ? HistoryMessage.firstSize : HistoryMessage.pieceSize
            var writer = JSONWriter(capacity: size + size / 8)
            isLast = encoder.next(into: &writer, size: size)
            text = writer.bytes
            self.isFirst = isFirst
        }
    }

    /// Two pieces, and what encodes the rest.
    private struct Pair: Sendable {
        let one: Piece
        let other: Piece?
        let encoder: HistoryEncoder

        var isLast: Bool { (other ?? one).isLast }

        @concurrent
        init(after encoder: HistoryEncoder, isFirst: Bool) async {
            var encoder = encoder
            one = Piece(&encoder, isFirst: isFirst)
            other = one.isLast ? nil : Piece(&encoder, isFirst: false)
            self.encoder = encoder
        }
    }
}
