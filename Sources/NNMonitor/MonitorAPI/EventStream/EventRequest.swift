import HTTPService
import MonitorCore
import NIOHTTP1

/// What a client of `GET /api/v2/events` asks for.
struct EventRequest: Sendable {
    /// The run; `nil` for all runs.
    let runID: RunID?
    /// The form of the messages.
    let form: LiveForm
    /// The last step that the client has; `nil` to begin with the next one, and in the form `runs`.
    let sinceSeq: UInt64?
    /// The run's `created_at` as the client knows it.
    let createdAt: String?
    /// The largest number of missed steps that the client wants; `nil` for no limit.
    let limit: Int?

    /// Reads the query and `Last-Event-ID`.
    ///
    /// - Throws: `HTTPError` with 422 if a parameter is invalid.
    init(_ request: HTTPRequest) throws {
        var parameters = QueryParameters(request)
        runID = parameters.optionalRunID("run")
        let metrics = parameters.listedNames("metrics")
        let hasLayers = parameters.word("layers", of: ["true", "false"]) != "false"
        switch parameters.word("form", of: ["full", "lite", "columns", "runs"]) {
        case "lite": form = .nested(.lite)
        case "columns": form = .columns(OpenStepForm(metrics: metrics, isStructureShared: !hasLayers))
        case "runs": form = .runs
        default: form = .nested(.full)
        }
        let seq = parameters.integer("since_seq", atLeast: 0).map { UInt64(clamping: $0) }
        limit = parameters.integer("limit", atLeast: 0).map { Int($0) }
        createdAt = parameters.text("created_at")
        try parameters.finish()
        // A browser that reconnects repeats the address, and the header has what it received last.
        let lastID = request.headers.first(name: "last-event-id").flatMap(Self.number)
        sinceSeq = form == .runs ? nil : lastID ?? seq
    }

    /// Which events the client gets.
    var interest: Interest {
        var interest = Interest.all
        interest.watch(runID.map { [$0] }, form: form)
        return interest
    }

    /// The run and its steps that the client has missed; `nil` if it watches all runs.
    var subscription: RunSubscription? {
        runID.map { runID in
            RunSubscription(
                runID: runID, form: form, sinceSeq: sinceSeq, createdAt: createdAt,
                limit: sinceSeq == nil ? nil : limit)
        }
    }

    /// The number in `Last-Event-ID`; `nil` if it is none of ours. One that is too large is beyond every step.
    private static func number(_ text: String) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
        return UInt64(text) ?? .max
    }
}
