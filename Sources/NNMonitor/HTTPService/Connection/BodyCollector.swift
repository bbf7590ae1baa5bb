import Compression
import NIOCore
import NIOHTTP1

/// Why a body can't be taken.
enum BodyFailure: Error, Equatable {
    case tooLarge(limit: Int)
    case expandsTooMuch(limit: Int)
    case corrupt(String)
    case outOfMemory
    /// Other requests' bodies take all the room that there is for bodies.
    case noRoom

    var response: HTTPResponse {
        switch self {
        case .noRoom: Self.busy
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

/// Gathers a body, inflating it as it comes; bounded on the wire and after inflating, and together with those of the other
/// connections.
final class BodyCollector {
    private let isKept: Bool
    private let limit: Int
    private var wireBytes = 0
    private var buffer = ByteBuffer()
    private var inflater: Inflater?
    private let budget: BodyBudget
    private var taken = 0

    /// A collector for one body. One that is not kept is only counted. `limit` is in bytes, on the wire and inflated;
    /// `ratio` is how many times larger inflating may make it; what it holds is taken from `budget`.
    init(isKept: Bool, coding: RequestCoding, limit: Int, ratio: Int, budget: BodyBudget) throws(BodyFailure) {
        self.isKept = isKept
        self.limit = limit
        self.budget = budget
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

    deinit { self.budget.giveBack(self.taken) }

    func append(_ part: ByteBuffer) throws(BodyFailure) {
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
        let grown = self.buffer.readableBytes - self.taken
        guard self.budget.take(grown) else { throw .noRoom }
        self.taken += grown
    }

    /// The whole body. No byte at all is an empty body, whatever coding it was announced with.
    func finish() throws(BodyFailure) -> ByteBuffer {
        if self.wireBytes > 0, self.inflater != nil {
            do {
                try self.inflater?.finish()
            } catch {
                throw Self.failure(error)
            }
        }
        return self.buffer
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
