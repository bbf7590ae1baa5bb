import Compression
import HTTPService
import MonitorCore
import NIOCore

/// Joins events into pieces of the response's body.
final class EventOutput {
    private let body: any BodyWriter
    private let isCompressed: Bool
    private let sent: ServiceCounters.Counter
    private var stream = GzipStream()
    private var buffer = ByteBuffer()
    private var hasBegun = false
    /// Whether anything but keep-alives was sent since `isIdle` was called last.
    private var hasSent = false
    /// The number of the last step in its run since this was set to `nil`.
    var lastSeq: UInt64?

    /// - Parameters:
    ///   - body: the body of the response.
    ///   - isCompressed: whether it is a gzip stream.
    ///   - sent: counts the messages.
    init(_ body: any BodyWriter, isCompressed: Bool, sent: ServiceCounters.Counter) {
        self.body = body
        self.sent = sent
        self.isCompressed = isCompressed
    }

    /// The bytes that wait for the next flush.
    var waiting: Int { buffer.readableBytes }

    /// Whether nothing but keep-alives was sent since this was called before.
    func isIdle() -> Bool {
        defer { hasSent = false }
        return !hasSent
    }

    /// Appends events, which have this number of messages.
    func append(_ frame: LiveFrame, messages: Int = 0) {
        hasSent = true
        sent.add(messages)
        add(frame)
    }

    private func add(_ frame: LiveFrame) {
        begin()
        buffer.writeImmutableBuffer(frame.bytes)
        if let piece = frame.piece { stream.append(piece) }
        if let seq = frame.seq { lastSeq = seq }
    }

    /// Appends a comment, which shows that the connection works.
    func appendKeepAlive() { add(LiveFrame(events: EventText.keepAlive, isCompressed: isCompressed)) }

    /// Appends an id: the client has everything up to this step.
    func appendPosition(_ seq: UInt64) {
        append(LiveFrame(events: EventText.id(seq), isCompressed: isCompressed))
    }

    /// Sends the appended events, and returns when the connection is writable.
    func flush() async throws {
        guard buffer.readableBytes > 0 else { return }
        let bytes = buffer
        buffer = ByteBuffer()
        try await body.write(bytes)
    }

    /// Replaces the memory that is reserved for what is sent from now on.
    func reserve(_ reservation: ResponseReservation?) async { await body.reserve(reservation) }

    /// Sends the end of the stream.
    func end() async throws {
        if isCompressed {
            begin()
            buffer.writeImmutableBuffer(stream.trailer)
        }
        try await flush()
    }

    private func begin() {
        if isCompressed && !hasBegun { buffer.writeBytes(GzipStream.header) }
        hasBegun = true
    }
}

@available(*, unavailable)
extension EventOutput: Sendable {}
