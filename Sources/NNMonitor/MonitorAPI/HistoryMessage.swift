import MonitorCore
import NIOCore
import WebSocket

/// Sends the `run_history` message: one fragmented message, encoded and compressed piece by piece.
enum HistoryMessage {
    /// Bytes of text in a piece that goes as it is. With the step that fills it, it mostly stays below 64 KiB: a buffer takes
    /// a power of two.
    private static let plainSize = 48 * 1024
    /// Bytes of text in a piece that is compressed: what waits is a fifth of it, and fewer pieces take less time. More
    /// would not stay in a processor's own cache.
    private static let compressedSize = 128 * 1024
    /// The first piece is smaller, so that it comes soon.
    private static let firstSize = 16 * 1024
    /// Pieces made at the same time.
    private static let makers = 2

    /// - Parameters:
    ///   - snapshot: the run.
    ///   - form: how much of each step.
    ///   - deflate: what the connection negotiated.
    ///   - channel: the connection; nothing else may write messages to it until this returns.
    ///   - room: tells when the connection can take more.
    /// - Throws: when the connection closes, or the task is cancelled.
    static func send(
        _ snapshot: RunSnapshot, form: StepForm, deflate: DeflateParameters?, to channel: any Channel,
        _ room: NIOLoopBound<WriteRoom>
    ) async throws {
        let frames = FragmentedTextEncoder(deflate: deflate)
        let size = frames.isCompressing ? compressedSize : plainSize
        let pieces = Pieces(of: .message(snapshot, form: form), size: size, on: channel.eventLoop)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<makers {
                // A maker has at most one frame that waits for its turn: those, and what the connection holds, are all.
                group.addTask {
                    while let turn = try await sendNext(of: pieces, by: frames, to: channel, room) {
                        try await turn.get()
                    }
                }
            }
            try await group.waitForAll()
        }
        try await pieces.turn.get()
    }

    /// Makes the next piece, which is written when its turn comes.
    ///
    /// - Returns: its turn; `nil` when there is no piece any more.
    private static func sendNext(
        of pieces: Pieces, by frames: FragmentedTextEncoder, to channel: any Channel, _ room: NIOLoopBound<WriteRoom>
    ) async throws -> EventLoopFuture<Void>? {
        guard let piece = await pieces.next() else { return nil }
        do {
            try Task.checkCancellation()
            let frame = try frames.frame(piece.text, isFirst: piece.isFirst, isLast: piece.isLast)
            piece.turn.flatMap { write(frame, to: channel, room.value) }.cascade(to: piece.next)
        } catch {
            // The pieces after it have no turn any more.
            piece.next.fail(error)
            throw error
        }
        return piece.turn
    }

    /// Writes a frame, on the event loop.
    ///
    /// - Returns: when the next one may be written. A connection of which nothing is taken any more is filled until it says
    ///   that it is full, so that `StallWatch` sees it.
    private static func write(
        _ frame: ByteBuffer, to channel: any Channel, _ room: WriteRoom
    ) -> EventLoopFuture<Void> {
        let next = channel.eventLoop.makePromise(of: Void.self)
        // A write that is refused has failed when this returns. The promise takes what comes first.
        channel.writeAndFlush(WebSocketOutbound.prepared(frame)).whenFailure { next.fail($0) }
        room.available().cascade(to: next)
        return next.futureResult
    }

    /// A piece of the text.
    private struct Piece: Sendable {
        let text: [UInt8]
        let isFirst: Bool
        let isLast: Bool
        /// When it may be written.
        let turn: EventLoopFuture<Void>
        /// When the one after it may.
        let next: EventLoopPromise<Void>
    }

    /// Encodes one piece after the other.
    private actor Pieces {
        private var encoder: HistoryEncoder
        private let size: Int
        private let eventLoop: any EventLoop
        /// When one may be written after the last piece that was given out.
        private(set) var turn: EventLoopFuture<Void>
        private var isFirst = true
        private var isEnded = false
        /// Bytes that a piece takes, as far as is known: a step may be long.
        private var capacity: Int

        init(of encoder: HistoryEncoder, size: Int, on eventLoop: any EventLoop) {
            self.encoder = encoder
            self.size = size
            capacity = size
            self.eventLoop = eventLoop
            turn = eventLoop.makeSucceededVoidFuture()
        }

        /// The next piece, whose promise must be kept or failed.
        func next() -> Piece? {
            guard !isEnded else { return nil }
            var writer = JSONWriter(capacity: capacity)
            isEnded = encoder.next(into: &writer, size: isFirst ? HistoryMessage.firstSize : size)
            // Layers are written into room for the longest ones.
            capacity = max(capacity, writer.bytes.count + 4096)
            let promise = eventLoop.makePromise(of: Void.self)
            let piece = Piece(
                text: writer.bytes, isFirst: isFirst, isLast: isEnded, turn: turn, next: promise)
            isFirst = false
            turn = promise.futureResult
            return piece
        }
    }
}
