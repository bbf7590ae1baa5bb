import Compression
import NIOCore
import NIOHTTP1

/// The reason for rejecting a body.
enum BodyFailure: Error, Equatable {
    case tooLarge(limit: Int)
    case expandsTooMuch(limit: Int)
    case corrupt(String)
    case outOfMemory
    /// Other bodies use all the memory available to the client.
    case noRoom
    /// The body arrived too slowly, and other bodies needed its memory.
    case stalled

    var response: HTTPResponse {
        switch self {
        case .noRoom: .busy("Too many request bodies are in progress; try again in a moment")
        case .stalled:
            .error(
                .requestTimeout, code: "request_timeout",
                message: "The request's body arrived too slowly while other bodies needed its memory; send it again")
        case .tooLarge(let limit):
            .error(.payloadTooLarge, code: "payload_too_large", message: "The body is larger than \(limit) bytes")
        case .expandsTooMuch(let limit):
            .error(
                .payloadTooLarge, code: "payload_too_large",
                message: "The compressed body expands to more than \(limit) times its size")
        case .corrupt(let reason):
            .error(.badRequest, code: "invalid_encoding", message: reason)
        case .outOfMemory:
            .error(
                .serviceUnavailable, code: "out_of_memory",
                message: "The server has no memory for this request; try again later")
        }
    }
}

extension BodyFailure {
    /// The failure to decompress a body.
    init(_ error: CompressionError) {
        self =
            switch error {
            case .corrupt(let reason): .corrupt("The compressed body is corrupt: \(reason)")
            case .truncated: .corrupt("The compressed body ends too early")
            case .trailingData: .corrupt("The compressed body has data after its end")
            case .tooLarge(let limit): .tooLarge(limit: limit)
            case .ratioExceeded(let limit): .expandsTooMuch(limit: limit)
            case .outOfMemory: .outOfMemory
            }
    }
}

/// Collects a body and decompresses it incrementally. The size is limited before and after decompression, and the
/// memory is accounted in the budget of all bodies.
final class BodyCollector {
    /// The memory of zlib's state and window for one stream, in bytes.
    private static let inflaterMemory = 40 << 10

    private let isKept: Bool
    private let limit: Int
    /// Receives the body instead of `buffer`.
    private let lines: LineBody?
    /// The length of the body as the client has announced it.
    private let length: Int?
    private var wireBytes = 0
    private var buffer = ByteBuffer()
    private var inflater: Inflater?
    private let budget: BodyBudget
    private let share: Int
    private var place: UInt64?
    /// The bytes reserved in the budget.
    private var taken = 0
    /// The bytes charged for the inflater while the body waits for input.
    private var overhead = 0

    /// Creates a collector for one body.
    ///
    /// - Parameters:
    ///   - isKept: whether to keep the body; otherwise it is only counted.
    ///   - lines: receives a body of lines as it was sent; nil for other bodies.
    ///   - coding: the body's content coding.
    ///   - limit: the maximum size, compressed and decompressed, in bytes.
    ///   - length: the length of the body as the client has announced it.
    ///   - ratio: the maximum ratio of the decompressed to the compressed size.
    ///   - budget: the budget of all bodies.
    ///   - share: the client's share of `budget`.
    /// - Throws: `outOfMemory`.
    init(
        isKept: Bool, lines: LineBody? = nil, coding: RequestCoding, limit: Int, length: Int? = nil, ratio: Int,
        budget: BodyBudget, share: Int
    ) throws(BodyFailure) {
        self.isKept = isKept
        self.limit = limit
        self.lines = lines
        self.length = length
        self.budget = budget
        self.share = share
        if isKept, case .compressed(let format) = coding {
            do {
                self.inflater = try Inflater(
                    format: format,
                    limits: ExpansionLimits(maximumSize: limit, maximumRatio: ratio, ratioFloor: 65_536))
            } catch {
                throw BodyFailure(error)
            }
        }
    }

    deinit {
        if let place = self.place { self.budget.end(place) }
    }

    /// Appends a piece of the body.
    ///
    /// - Returns: the number of bytes that were collected, after decompression.
    func append(_ part: ByteBuffer, now: NIODeadline) throws(BodyFailure) -> Int {
        let sizeBefore = self.collectedBytes
        self.wireBytes += part.readableBytes
        guard self.wireBytes <= self.limit else { throw .tooLarge(limit: self.limit) }
        guard self.isKept else { return 0 }
        var part = part
        if let lines = self.lines {
            lines.append(part)
        } else if self.inflater != nil {
            do {
                try self.inflater?.inflate(&part, into: &self.buffer)
            } catch {
                throw BodyFailure(error)
            }
        } else if self.buffer.readableBytes == 0 {
            // Fast path: most bodies arrive in one piece, which needs no copy.
            self.buffer = part
        } else {
            self.reserve(for: part)
            self.buffer.writeBuffer(&part)
        }
        do throws(BodyFailure) {
            try self.takeRoom(now: now)
        } catch {
            // A small body may be complete within this read and then needs no reservation. If it is not, `wait` throws.
            guard error == .noRoom, self.collectedBytes <= BodyBudget.smallBody else { throw error }
        }
        return self.collectedBytes - sizeBefore
    }

    private var collectedBytes: Int { self.lines == nil ? self.buffer.readableBytes : self.wireBytes }

    /// Makes room for a part: at once for all that is to come, but not for much more than has come.
    private func reserve(for part: ByteBuffer) {
        let size = self.buffer.readableBytes + part.readableBytes
        guard let length = self.length, size > self.buffer.capacity else { return }
        self.buffer.reserveCapacity(max(size, min(length, 4 * size)))
    }

    private func takeRoom(now: NIODeadline) throws(BodyFailure) {
        let growth = self.collectedBytes + self.overhead - self.taken
        guard growth > 0 else { return }
        let place = self.place ?? self.budget.begin(in: self.share, now: now)
        self.place = place
        try self.budget.grow(place, by: growth, now: now)
        self.taken += growth
    }

    /// Marks the body as unfinished, after all input that has arrived was appended.
    ///
    /// - Parameters:
    ///   - now: the current time.
    ///   - eviction: makes the closure that is called if the body is evicted, on any thread.
    /// - Throws: `noRoom` if its memory cannot be reserved; `stalled` if the body was evicted.
    func wait(now: NIODeadline, eviction: () -> @Sendable () -> Void) throws(BodyFailure) {
        guard self.isKept, self.wireBytes > 0 else { return }
        if self.inflater != nil { self.overhead = Self.inflaterMemory }
        try self.takeRoom(now: now)
        guard let place = self.place else { return }
        self.budget.wait(place, wireBytes: self.wireBytes, now: now, eviction: eviction)
    }

    /// Ends the body. An empty body is valid with every content coding.
    ///
    /// - Returns: the body, and its budget entry, which the caller must end.
    /// - Throws: the failure if the compressed data is incomplete or the body was evicted.
    func finish() throws(BodyFailure) -> (bytes: ByteBuffer, place: UInt64?) {
        if self.wireBytes > 0, self.inflater != nil {
            do {
                try self.inflater?.finish()
            } catch {
                throw BodyFailure(error)
            }
        }
        if let place = self.place, !self.budget.finish(place) { throw .stalled }
        defer { self.place = nil }
        return (self.buffer, self.place)
    }
}
