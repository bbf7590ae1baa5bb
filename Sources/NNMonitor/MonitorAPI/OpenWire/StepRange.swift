import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// The steps of a run that a request asks for.
struct StepRange: Sendable {
    /// The lowest step number.
    var from: Int64 = 0
    /// The highest step number.
    var to: Int64 = .max
    /// At most this many of the highest steps; `nil` for all.
    var last: Int?

    /// All steps.
    init() {}

    /// Reads `from`, `to` and, if allowed, `last`.
    init(_ parameters: inout QueryParameters, allowsLast: Bool = false) {
        from = parameters.integer("from", atLeast: 0) ?? 0
        to = parameters.integer("to", atLeast: 0) ?? .max
        if allowsLast { last = parameters.integer("last", atLeast: 0).map { Int($0) } }
    }
}

/// Reads the steps of a snapshot in a range, one after the other.
struct StepReader: Sendable {
    private let source: any HistorySource
    private let to: Int64
    private var batch: ArraySlice<StepRecord> = []
    private var lastRead: Int64?
    private var isEnded = false

    /// - Throws: `StoreError` if the steps cannot be read.
    init(_ source: any HistorySource, _ range: StepRange) async throws(StoreError) {
        self.init(source, from: range.from, to: range.to)
        if let last = range.last {
            var count = 0
            var counter = self
            while try await counter.next() != nil { count += 1 }
            for _ in 0..<max(0, count - last) { _ = try await next() }
        }
        // The first batch is read here, so that a source that cannot be read fails before a response begins.
        try await readBatch()
    }

    private init(_ source: any HistorySource, from: Int64, to: Int64) {
        self.source = source
        self.to = to
        lastRead = from > 0 ? from - 1 : nil
    }

    /// The first step, if it was read already.
    var first: StepRecord? { batch.first }

    /// The next step; `nil` at the end.
    ///
    /// - Throws: `StoreError` if the steps cannot be read.
    mutating func next() async throws(StoreError) -> StepRecord? {
        try await readBatch()
        guard let record = batch.popFirst(), record.step <= to else {
            batch = []
            isEnded = true
            return nil
        }
        return record
    }

    private mutating func readBatch() async throws(StoreError) {
        guard batch.isEmpty, !isEnded else { return }
        batch = try await source.steps(after: lastRead)[...]
        if let last = batch.last { lastRead = last.step } else { isEnded = true }
    }
}

/// A response that is encoded step by step, as fast as the connection takes it.
struct StepStream<State: Sendable>: Sendable {
    /// The steps.
    let reader: StepReader
    /// The beginning of the body.
    var prefix = JSONWriter()
    /// What the encoder remembers from step to step.
    let state: State
    /// Appends one step.
    let encode: @Sendable (inout State, StepRecord, inout JSONWriter) -> Void

    /// The response.
    ///
    /// - Parameters:
    ///   - snapshot: the run of the steps.
    ///   - request: the request.
    ///   - type: the content type.
    ///   - monitor: has the memory of answers.
    /// - Returns: the response.
    /// - Throws: `HTTPError` with 503 if there is no memory for it.
    func response(
        _ snapshot: RunSnapshot, _ request: HTTPRequest, type: String, _ monitor: Monitor
    ) throws -> HTTPResponse {
        let memory = { @Sendable (chunk: Int) in
            AnswerMemory.history(
                snapshot: snapshot.memory, chunk: chunk, isCompressed: request.acceptsGzip, isSecure: request.secure)
        }
        let chunk = streamPieceSize + (reader.first.map(StepEncoder.estimatedSize) ?? 0)
        let reservation = try monitor.answers.reserve(
            memory(chunk), access: request.access, peer: request.peer, retained: snapshot.retained)
        var response = HTTPResponse(
            status: .ok, headers: ["Content-Type": type],
            body: .stream { [failures = monitor.failures] body in
                var reader = reader
                var state = state
                var writer = prefix
                var isEnded = false
                while !isEnded {
                    do throws(StoreError) {
                        while !isEnded && writer.bytes.count < streamPieceSize {
                            if let record = try await reader.next() {
                                encode(&state, record, &writer)
                            } else {
                                isEnded = true
                            }
                        }
                    } catch {
                        failures.note(error, during: .history)
                        // Aborts the connection without a second log line.
                        throw HTTPServiceError.connectionClosed
                    }
                    guard reservation.grow(to: memory(writer.bytes.count)) else {
                        throw HTTPServiceError.connectionClosed
                    }
                    if !writer.bytes.isEmpty { try await body.write(ByteBuffer(bytes: writer.bytes)) }
                    writer.removeAll()
                }
            })
        response.reservation = reservation
        return response
    }
}

/// The size of the pieces of a streamed body, in bytes.
let streamPieceSize = 64 << 10
