import Compression
import NIOCore
import NIOHTTP1

/// Why a body can't be taken.
enum BodyFailure: Error, Equatable {
    case tooLarge(limit: Int)
    case expandsTooMuch(limit: Int)
    case corrupt(String)
    case outOfMemory
    /// Other bodies take all the room that the body's client may use.
    case noRoom
    /// The body made no progress, and other bodies needed its room.
    case stalled

    var response: HTTPResponse {
        switch self {
        case .noRoom: Self.busy
        case .stalled:
            .error(
                .requestTimeout, code: "request_timeout",
                message: "The request's body made no progress while other bodies needed its room; send it again")
        case .tooLarge(let limit):
            .error(.payloadTooLarge, code: "payload_too_large", message: "The body is larger than \(limit) bytes")
        case .expandsTooMuch(let limit):
            .error(
                .payloadTooLarge, code: "payload_too_large",
                message: "The compressed body expands to more than \(limit) times its size")
        case .corrupt(let reason):
            .error(.badRequest, code: "invalid_encoding", message: reason)
        case .outOfMemory:
            .error(.serviceUnavailable, code: "out_of_memory", message: "There is no memory for this request")
        }
    }
}

extension BodyFailure {
    private static var busy: HTTPResponse {
        var response = HTTPResponse.error(
            .serviceUnavailable, code: "busy", message: "Too many bodies are under way; try again in a moment")
        response.headers.add(name: "Retry-After", value: "1")
        return response
    }
}

/// Gathers a body and inflates it as it comes. The body is bounded on the wire and after inflating, and has a place in the
/// budget of all bodies.
final class BodyCollector {
    /// Bytes of zlib's state and window for one stream that is being inflated.
    private static let inflaterMemory = 40 << 10

    private let isKept: Bool
    private let limit: Int
    private var wireBytes = 0
    private var buffer = ByteBuffer()
    private var inflater: Inflater?
    private let budget: BodyBudget
    private let share: Int
    private var place: UInt64?
    /// Bytes that the place was given.
    private var taken = 0
    /// Bytes that the inflater counts for, once the body waits.
    private var overhead = 0

    /// A collector for one body. One that is not kept is only counted. `limit` is in bytes, on the wire and inflated;
    /// `ratio` is how many times larger inflating may make it; its bytes are taken from `share` of `budget`.
    init(
        isKept: Bool, coding: RequestCoding, limit: Int, ratio: Int, budget: BodyBudget, share: Int
    ) throws(BodyFailure) {
        self.isKept = isKept
        self.limit = limit
        self.budget = budget
        self.share = share
        if isKept, case .compressed(let format) = coding {
            do {
                self.inflater = try Inflater(
                    format: format,
                    limits: ExpansionLimits(maximumSize: limit, maximumRatio: ratio, ratioFloor: 65_536))
            } catch {
                throw Self.failure(error)
            }
        }
    }

    deinit {
        if let place = self.place { self.budget.end(place) }
    }

    func append(_ part: ByteBuffer, now: NIODeadline) throws(BodyFailure) {
        self.wireBytes += part.readableBytes
        guard self.wireBytes <= self.limit else { throw .tooLarge(limit: self.limit) }
        guard self.isKept else { return }
        var part = part
        if self.inflater != nil {
            do {
                try self.inflater?.inflate(&part, into: &self.buffer)
            } catch {
                throw Self.failure(error)
            }
        } else if self.buffer.readableBytes == 0 {
            // Most bodies come in one piece; it is kept as it is.
            self.buffer = part
        } else {
            self.buffer.writeBuffer(&part)
        }
        do throws(BodyFailure) {
            try self.takeRoom(now: now)
        } catch {
            // A small body may be whole in a moment: then it needs no place. `wait` throws if it is not.
            guard error == .noRoom, self.buffer.readableBytes <= BodyBudget.smallBody else { throw error }
        }
    }

    private func takeRoom(now: NIODeadline) throws(BodyFailure) {
        let growth = self.buffer.readableBytes + self.overhead - self.taken
        guard growth > 0 else { return }
        let place = self.place ?? self.budget.begin(in: self.share, now: now)
        self.place = place
        try self.budget.grow(place, by: growth, now: now)
        self.taken += growth
    }

    /// The body is unfinished, and nothing more of it is here. `eviction` makes what is called, on any thread, if the body
    /// loses its place.
    /// - Throws: `noRoom` when there is no place for it to wait in; `stalled` when it has lost its place.
    func wait(now: NIODeadline, eviction: () -> @Sendable () -> Void) throws(BodyFailure) {
        guard self.isKept, self.wireBytes > 0 else { return }
        if self.inflater != nil { self.overhead = Self.inflaterMemory }
        try self.takeRoom(now: now)
        guard let place = self.place else { return }
        self.budget.wait(place, wireBytes: self.wireBytes, now: now, eviction: eviction)
    }

    /// The whole body, and its place, which the caller ends. No byte at all is an empty body, whatever coding it was
    /// announced with.
    func finish() throws(BodyFailure) -> (bytes: ByteBuffer, place: UInt64?) {
        if self.wireBytes > 0, self.inflater != nil {
            do {
                try self.inflater?.finish()
            } catch {
                throw Self.failure(error)
            }
        }
        if let place = self.place, !self.budget.finish(place) { throw .stalled }
        defer { self.place = nil }
        return (self.buffer, self.place)
    }

    private static func failure(_ error: CompressionError) -> BodyFailure {
        switch error {
        case .corrupt(let reason): .corrupt("The compressed body is corrupt: \(reason)")
        case .truncated: .corrupt("The compressed body ends too early")
        case .trailingData: .corrupt("Something follows the end of the compressed body")
        case .tooLarge(let limit): .tooLarge(limit: limit)
        case .ratioExceeded(let limit): .expandsTooMuch(limit: limit)
        case .outOfMemory: .outOfMemory
        }
    }
}
