import MonitorCore
import NIOCore
import WebSocket

/// Sends the `run_history` message: one fragmented WebSocket message, encoded and compressed piece by piece.
enum HistoryMessage {
    /// The size of an uncompressed piece, in bytes of text. The step that completes a piece rarely takes it above 64
    /// KiB, and buffers are allocated in powers of two.
    private static let plainSize = 48 * 1024
    /// The size of a piece that is compressed, in bytes of text. It shrinks to about a fifth, and larger pieces
    /// compress faster; still larger ones would not fit a core's cache.
    private static let compressedSize = 128 * 1024
    /// The size of the first piece, in bytes of text: small, so that it is sent soon.
    private static let firstSize = 16 * 1024
    /// The largest number of pieces in memory: one is encoded or compressed while another waits to be written.
    private static let concurrentPieces = 2

    /// The expected size of the largest piece of a message, in bytes.
    static func expectedPiece(_ history: HistoryEncoder, isCompressed: Bool) -> Int {
        history.expectedChunk(isCompressed ? compressedSize : plainSize)
    }

    /// Sends the message. Suspends while the source of the steps or the connection makes it wait.
    ///
    /// - Parameters:
    ///   - history: the message, from its beginning.
    ///   - deflate: the compression that the connection negotiated.
    ///   - channel: the connection; no other message may be written to it until this returns.
    ///   - writability: waits until the connection is writable.
    /// - Throws: `StoreError` if the steps cannot be read, `ChannelError` if the connection closes, `CancellationError`
    ///   if the task is cancelled, `CompressionError` if there is no memory. The message may then have been sent in
    ///   part.
    static func send(
        _ history: HistoryEncoder, deflate: DeflateParameters?, to channel: any Channel,
        _ writability: NIOLoopBound<WritabilityWaiter>
    ) async throws {
        let frames = FragmentedTextEncoder(deflate: deflate)
        let size = frames.isCompressing ? compressedSize : plainSize
        try await withThrowingTaskGroup(of: Void.self) { group in
            var pieces = Pieces(of: history, size: size, on: channel.eventLoop)
            var started = 0
            while true {
                if started == concurrentPieces {
                    try await group.next()
                    started -= 1
                }
                try Task.checkCancellation()
                guard let piece = try await pieces.next() else { break }
                group.addTask { try await write(piece, by: frames, to: channel, writability) }
                started += 1
            }
            try await group.waitForAll()
            try await pieces.turn.get()
        }
    }

    /// Sends the layers of structures, one message after the other.
    ///
    /// - Parameters:
    ///   - structures: a step of each structure.
    ///   - runID: the run.
    ///   - deflate: the compression that the connection negotiated.
    ///   - channel: the connection.
    ///   - writability: waits until the connection is writable.
    /// - Throws: `ChannelError` if the connection closes.
    static func send(
        _ structures: [StepRecord], of runID: RunID, deflate: DeflateParameters?, to channel: any Channel,
        _ writability: NIOLoopBound<WritabilityWaiter>
    ) async throws {
        let encoder = WebSocketFrameEncoder(deflate: deflate)
        for record in structures {
            try Task.checkCancellation()
            let frame = encoder.text(SubscriberMessages.structure(record, of: runID))
            try await channel.eventLoop.flatSubmit { write(frame, to: channel, writability.value) }.get()
        }
    }

    /// Compresses a piece, and writes it when the pieces before it are written. Returns when its turn has come.
    private static func write(
        _ piece: Piece, by frames: FragmentedTextEncoder, to channel: any Channel,
        _ writability: NIOLoopBound<WritabilityWaiter>
    ) async throws {
        do {
            try Task.checkCancellation()
            let frame = try frames.frame(piece.text, isFirst: piece.isFirst, isLast: piece.isLast)
            piece.turn.flatMap { write(frame, to: channel, writability.value) }.cascade(to: piece.next)
        } catch {
            // Later pieces cannot be written without this one.
            piece.next.fail(error)
            throw error
        }
        try await piece.turn.get()
    }

    /// Writes a frame, on the event loop.
    ///
    /// - Returns: completes when the channel is writable. Pieces are written until it is not, so that `StallTimer`
    ///   notices a peer that stopped reading.
    private static func write(
        _ frame: ByteBuffer, to channel: any Channel, _ writability: WritabilityWaiter
    ) -> EventLoopFuture<Void> {
        let next = channel.eventLoop.makePromise(of: Void.self)
        // A rejected write has already failed when `writeAndFlush` returns. The first result completes the promise.
        channel.writeAndFlush(WebSocketOutbound.prepared(frame)).whenFailure { next.fail($0) }
        writability.wrote(frame.readableBytes)
        writability.available().cascade(to: next)
        return next.futureResult
    }

    /// A piece of the text.
    private struct Piece: Sendable {
        let text: [UInt8]
        let isFirst: Bool
        let isLast: Bool
        /// Completes when this piece may be written.
        let turn: EventLoopFuture<Void>
        /// Completes the `turn` of the next piece.
        let next: EventLoopPromise<Void>
    }

    /// Encodes the pieces, one after the other.
    private struct Pieces {
        private var history: HistoryEncoder
        private let size: Int
        private let eventLoop: any EventLoop
        /// Completes when the last piece returned by `next` is written and the channel is writable.
        private(set) var turn: EventLoopFuture<Void>
        private var isFirst = true
        private var isEnded = false
        /// The largest size of a piece so far, in bytes: a single step may exceed `size`.
        private var capacity: Int

        init(of history: HistoryEncoder, size: Int, on eventLoop: any EventLoop) {
            self.history = history
            self.size = size
            capacity = size
            self.eventLoop = eventLoop
            turn = eventLoop.makeSucceededVoidFuture()
        }

        /// The next piece; the caller must complete its promise. `nil` after the last one.
        mutating func next() async throws(StoreError) -> Piece? {
            guard !isEnded else { return nil }
            var writer = JSONWriter(capacity: capacity)
            isEnded = try await history.next(into: &writer, size: isFirst ? HistoryMessage.firstSize : size)
            // The encoder reserves room for the longest form of a layer before it writes one.
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
