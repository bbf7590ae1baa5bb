import Foundations
import HTTPService
import MonitorCore
import NIOCore

/// Produces the body of `GET /api/v2/events`, in the request's task.
///
/// First it sends the steps that the client has missed, then the messages of its queue. A client that reads too slowly
/// loses queued messages; if it watches one run, it then gets the steps that it missed, as if it had connected again.
/// The stream ends when the client disconnects, its access ends, or the server stops.
struct EventStream {
    /// Queued messages are sent in pieces of about this size, in bytes.
    private static let pieceSize = 64 << 10

    private let subscription: EventSubscription
    private let output: EventOutput
    private var frames: SubscriberFrames
    private var position: EventSubscription.Position?
    private let start: EventStart

    /// - Parameters:
    ///   - subscription: the client's subscription, which has begun.
    ///   - start: where the stream begins.
    ///   - body: the body.
    init(_ subscription: EventSubscription, _ start: EventStart, _ body: any BodyWriter) {
        self.subscription = subscription
        output = EventOutput(
            body, isCompressed: subscription.isCompressed, sent: subscription.monitor.counters.messagesSent)
        frames = SubscriberFrames(subscription.monitor.broadcast.renderer, subscription.variant)
        self.start = start
    }

    /// Sends events until the stream ends.
    ///
    /// - Throws: `HTTPServiceError.connectionClosed` if the response must be aborted, `CancellationError` if the client
    ///   has disconnected.
    mutating func run() async throws {
        defer { subscription.end() }
        let timers = await EventTimers(subscription)
        defer { timers.stop() }
        try await begin()
        var isStopping = false
        while true {
            try await sendQueued()
            if isStopping { return try await output.end() }
            let reasons = await subscription.signal.wait()
            try Task.checkCancellation()
            // What is queued must not be sent any more.
            guard !reasons.contains(.accessEnded) else { throw HTTPServiceError.connectionClosed }
            isStopping = reasons.contains(.stopping)
            if reasons.contains(.probe) || reasons.contains(.keepAlive) && output.isIdle() {
                output.appendKeepAlive()
            }
        }
    }

    /// Sends the steps that the client asks for, then the id of the last one: a client that is cut off before its first
    /// event resumes from there.
    private mutating func begin() async throws {
        let (missed, position) = start.take()
        guard let position else { return }
        self.position = position
        if let missed { try await send(missed) }
        if position.seq != output.lastSeq ?? subscription.wanted.sinceSeq { output.appendPosition(position.seq) }
        output.lastSeq = nil
    }

    private mutating func sendQueued() async throws {
        while let item = subscription.queue.take() {
            frames.write(item) { [output] in output.append($0, messages: 1) }
            if case .lagged = item { try await resume() }
            if output.waiting >= Self.pieceSize { try await output.flush() }
        }
        try await output.flush()
    }

    /// Sends the steps that were dropped from the queue.
    private mutating func resume() async throws {
        guard var position else { return }
        try await output.flush()
        if let seq = output.lastSeq { position.seq = seq }
        let missed: MissedSteps?
        do {
            missed = try await subscription.resume(&position, frames.structures)
        } catch let error as StoreError {
            subscription.monitor.failures.note(error, during: .history)
            throw HTTPServiceError.connectionClosed
        } catch is HTTPError {
            // No memory. The client connects again with its last step, and is then answered 503 or served.
            throw HTTPServiceError.connectionClosed
        }
        self.position = position
        output.lastSeq = nil
        guard let missed else { return }
        try await send(missed)
        if position.seq != output.lastSeq { output.appendPosition(position.seq) }
        output.lastSeq = nil
    }

    /// Sends missed steps piece by piece.
    private mutating func send(_ missed: MissedSteps) async throws {
        var missed = missed
        await output.reserve(missed.reservation)
        var text = ByteBuffer()
        var messages = 0
        var lastSeq: UInt64?
        while true {
            let message: HistoryMessages.Message?
            do throws(StoreError) {
                message = try await missed.messages.next()
            } catch {
                subscription.monitor.failures.note(error, during: .history)
                throw HTTPServiceError.connectionClosed
            }
            if let message {
                EventText.append(message.json, id: message.seq, to: &text)
                lastSeq = message.seq ?? lastSeq
                messages += 1
            }
            guard message == nil || text.readableBytes >= EventSubscription.pieceSize else { continue }
            guard missed.reservation.grow(to: subscription.memory(missed.memory, chunk: text.readableBytes)) else {
                throw HTTPServiceError.connectionClosed
            }
            if text.readableBytes > 0 {
                let frame = LiveFrame(events: text, seq: lastSeq, isCompressed: subscription.isCompressed)
                output.append(frame, messages: messages)
                messages = 0
                text.clear()
                try await output.flush()
            }
            if message == nil { break }
        }
        frames.structures = missed.messages.structures
        await output.reserve(nil)
    }
}
