import Foundations

@testable import MonitorCore

/// Decodes payloads of the open wire for tests.
enum OpenPayloads {
    static let clock = UTCTime(microseconds: 1_795_993_300_810_000)

    /// The result of a payload.
    struct Result {
        var step: DecodedStep?
        var warnings: [String] = []
        /// The type and path of each error: `greater_than metrics/m/0`.
        var issues: [String] = []

        var record: StepRecord { get throws { StepRecord(try accepted) } }
        var accepted: DecodedStep {
            get throws {
                guard let step else { throw Rejected(issues: issues) }
                return step
            }
        }
    }

    struct Rejected: Error {
        let issues: [String]
    }

    static func decode(
        _ payload: [UInt8], known: KnownTables = KnownTables(), limits: OpenStepLimits = OpenStepLimits()
    ) -> Result {
        var warnings = StepWarnings()
        let decoder = OpenStepDecoder(limits: limits, clock: { clock })
        switch decoder.decode(payload, runID: "r", known: known, warnings: &warnings) {
        case .success(let step): return Result(step: step, warnings: warnings.texts)
        case .failure(let rejection): return Result(issues: describe(rejection))
        }
    }

    static func decode(
        _ payload: String, known: KnownTables = KnownTables(), limits: OpenStepLimits = OpenStepLimits()
    ) -> Result {
        decode(Array(payload.utf8), known: known, limits: limits)
    }

    /// The type and path of each error.
    static func describe(_ rejection: RejectedPayload) -> [String] {
        rejection.issues.map { issue in
            let path = issue.location.map { location in
                switch location {
                case .key(let key): key
                case .index(let index): String(index)
                }
            }
            return "\(issue.kind.type) \(path.joined(separator: "/"))"
        }
    }

    /// The step as the open wire serves it, but with `1` for `1.0`.
    static func served(_ payload: String, known: KnownTables = KnownTables()) throws -> String {
        try served(decode(payload, known: known).record)
    }

    static func served(_ record: StepRecord) -> String {
        var writer = JSONWriter()
        var encoder = OpenStepEncoder()
        encoder.append(record, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self).replacing(/(\d)\.0([,\]}])/) { "\($0.1)\($0.2)" }
    }
}
