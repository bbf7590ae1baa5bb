import HTTPService
import MonitorCore
import NIOHTTP1
import Synchronization

/// Why a posted step is refused: the `reason` of `nnmonitor_rejected_total`.
enum RejectionReason: Int, CaseIterable {
    /// 422: the step, the line or the run id is invalid.
    case invalid
    /// 413, or a line of a batch that is too long.
    case tooLarge
    /// 415: another content type or content encoding.
    case unsupportedMediaType
    /// 400: the body is cut off, or its compression or framing is corrupt.
    case malformed
    /// 401 and 429: no valid token.
    case unauthorized
    /// 403: the token lacks the scope, or the origin is foreign.
    case forbidden
    /// 408: the body arrived too slowly.
    case timeout
    /// 503: there is no memory for the body.
    case memory
    /// 503: the store failed.
    case storeUnavailable
    /// Any other refusal, such as 431 for a trailer that is too large.
    case other

    /// The value of the label.
    var label: String {
        switch self {
        case .invalid: "invalid"
        case .tooLarge: "too_large"
        case .unsupportedMediaType: "unsupported_media_type"
        case .malformed: "malformed"
        case .unauthorized: "unauthorized"
        case .forbidden: "forbidden"
        case .timeout: "timeout"
        case .memory: "memory"
        case .storeUnavailable: "store_unavailable"
        case .other: "other"
        }
    }

    /// The reason for a response that is made before the step is decoded.
    init(_ status: HTTPResponseStatus) {
        self =
            switch status {
            case .badRequest: .malformed
            case .unauthorized, .tooManyRequests: .unauthorized
            case .forbidden: .forbidden
            case .requestTimeout: .timeout
            case .payloadTooLarge: .tooLarge
            case .unsupportedMediaType: .unsupportedMediaType
            case .unprocessableEntity: .invalid
            case .serviceUnavailable: .memory
            default: .other
            }
    }
}

/// What the service has done since it started, for `GET /metrics`.
///
/// To count is one relaxed atomic addition. No order between two counters is guaranteed.
final class ServiceCounters: RouteObserver {
    /// One counter.
    final class Counter: Sendable {
        private let count = Atomic<Int>(0)

        /// The count.
        var value: Int { count.load(ordering: .relaxed) }

        func add(_ amount: Int = 1) { count.add(amount, ordering: .relaxed) }
    }

    let stepsAccepted = Counter()
    let stepsBelowKept = Counter()
    let stepsOverMemory = Counter()
    let runsEvicted = Counter()
    let receivedBytes = Counter()
    let messagesSent = Counter()
    let messagesSkipped = Counter()
    private let rejections = RejectionReason.allCases.map { _ in Counter() }

    /// Counts an accepted step.
    func accept(_ outcome: AppendOutcome) {
        stepsAccepted.add()
        switch outcome.reason {
        case .belowKeptSteps: stepsBelowKept.add()
        case .memory: stepsOverMemory.add()
        case nil: break
        }
    }

    /// Counts an eviction. Each is published once, also that of a call that failed afterwards.
    func note(_ event: StoreEvent) {
        if case .removed(let run) = event, run.reason != .deleted { runsEvicted.add() }
    }

    /// Counts a refused step, or a refused line of a batch.
    func reject(_ reason: RejectionReason) { rejections[reason.rawValue].add() }

    /// The steps and lines that were refused for a reason.
    func rejected(_ reason: RejectionReason) -> Int { rejections[reason.rawValue].value }

    func received(_ bytes: Int) { receivedBytes.add(bytes) }

    func refused(_ status: HTTPResponseStatus) { reject(RejectionReason(status)) }
}
