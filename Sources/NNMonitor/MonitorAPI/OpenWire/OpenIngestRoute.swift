import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `POST /api/v2/runs/{run}/steps`: one step of a run, or a batch of them, one a line.
struct OpenIngestRoute: Sendable {
    private let monitor: Monitor
    private let decoder: OpenStepDecoder
    private var counters: ServiceCounters { monitor.counters }

    init(_ monitor: Monitor) {
        self.monitor = monitor
        decoder = OpenStepDecoder(limits: monitor.configuration.steps)
    }

    var route: Route {
        .on(.POST, "/api/v2/runs/{run}/steps", scope: .ingest, body: .jsonOrLines, observer: counters) { request in
            let runID: RunID
            let text: LineText?
            do throws(HTTPError) {
                runID = try request.runID()
                text = try request.lines?.text()
            } catch {
                counters.reject(RejectionReason(error.response.status))
                throw error
            }
            guard let text else { return try await step(request.body, of: runID) }
            return try await batch(text, of: runID)
        }
    }

    private static func refusal(_ rejection: RejectedPayload) -> HTTPResponse {
        .json(ByteBuffer(bytes: rejection.body()), status: .unprocessableEntity)
    }

    // MARK: One step

    private func step(_ body: ByteBuffer, of runID: RunID) async throws -> HTTPResponse {
        let known = await monitor.store.tables(of: runID)
        var warnings = StepWarnings()
        switch decode(body, of: runID, known, &warnings) {
        case .failure(let rejection):
            counters.reject(.invalid)
            return Self.refusal(rejection)
        case .success(let step):
            // 202 is sent after the step is stored, so that a read that follows it sees the step.
            do throws(StoreError) {
                let outcome = try await monitor.accept(step)
                warnings.add(outcome.warnings)
                return .json(Self.accepted(outcome, warnings), status: .accepted)
            } catch {
                counters.reject(.storeUnavailable)
                throw monitor.failures.unavailable(error, during: .append)
            }
        }
    }

    private func decode(
        _ text: ByteBuffer, of runID: RunID, _ known: KnownTables, _ warnings: inout StepWarnings
    ) -> Result<DecodedStep, RejectedPayload> {
        // The bytes are valid during the closure, and the decoder does not keep the pointer.
        unsafe text.withUnsafeReadableBytes {
            unsafe decoder.decode($0, runID: runID, known: known, warnings: &warnings)
        }
    }

    private static func accepted(_ outcome: AppendOutcome, _ warnings: StepWarnings) -> ByteBuffer {
        if outcome.reason == nil, warnings.texts.isEmpty { return .accepted(outcome.step) }
        var writer = JSONWriter()
        if let reason = outcome.reason {
            writer.literal(",\"kept\":false,\"reason\":")
            writer.string(reason.name)
        }
        warnings.append(to: &writer)
        return .accepted(outcome.step, rest: writer.bytes)
    }

    // MARK: A batch

    /// How much of a batch is decoded before other tasks may use the thread.
    private static let bytesBetweenYields = 256 << 10

    /// The valid lines that are decoded and not yet stored.
    private struct Group {
        /// The largest number of lines that are stored in one call, which other calls of the store wait for.
        private static let maximum = 32

        var steps: [DecodedStep] = []
        /// The numbers of their lines.
        var lines: [Int] = []
        /// The lines of the first groups are few, so that the others are decoded with the tables of their run.
        private var capacity = 1

        var isFull: Bool { steps.count >= capacity }

        mutating func add(_ step: DecodedStep, line: Int) {
            steps.append(step)
            lines.append(line)
        }

        mutating func begin() {
            steps.removeAll(keepingCapacity: true)
            lines.removeAll(keepingCapacity: true)
            capacity = min(capacity * 2, Self.maximum)
        }
    }

    /// Stores the valid lines in their order, as soon as some are decoded: the body is complete and sound, so nothing
    /// can be found later that rejects it as a whole.
    private func batch(_ text: LineText, of runID: RunID) async throws -> HTTPResponse {
        var report = BatchReport()
        var warnings = StepWarnings()
        var known = await monitor.store.tables(of: runID)
        var group = Group()
        var rest = text
        var number = 0
        var bytesUntilYield = Self.bytesBetweenYields
        while let line = rest.next(maximum: monitor.configuration.maximumLineSize) {
            number += 1
            bytesUntilYield -= line.length + 1
            if bytesUntilYield <= 0 {
                bytesUntilYield = Self.bytesBetweenYields
                try await store(&group, &known, &report, &warnings)
                await Task.yield()
            }
            if line.isBlank { continue }
            guard line.length <= monitor.configuration.maximumLineSize else {
                let issue = PayloadIssue(.lineTooLong(maximum: monitor.configuration.maximumLineSize), at: [])
                report.reject(line: number, RejectedPayload(issues: [issue]))
                counters.reject(.tooLarge)
                continue
            }
            switch decode(line.text, of: runID, known, &warnings) {
            case .failure(let rejection):
                report.reject(line: number, rejection)
                counters.reject(.invalid)
            case .success(var step):
                step.followsInBody = report.accepted > 0 || !group.steps.isEmpty
                group.add(step, line: number)
                if group.isFull { try await store(&group, &known, &report, &warnings) }
            }
        }
        try await store(&group, &known, &report, &warnings)
        return .json(ByteBuffer(bytes: report.body(warnings)), status: .accepted)
    }

    /// Stores the lines of a group, and begins the next one.
    private func store(
        _ group: inout Group, _ known: inout KnownTables, _ report: inout BatchReport, _ warnings: inout StepWarnings
    ) async throws {
        guard !group.steps.isEmpty else { return }
        let appended = await monitor.accept(group.steps)
        for outcome in appended.outcomes {
            report.accept(outcome)
            warnings.add(outcome.warnings)
            known.note(outcome.step.record)
        }
        if let failure = appended.failure {
            let line = group.lines[appended.outcomes.count]
            counters.reject(.storeUnavailable)
            throw monitor.failures.unavailable(failure, line: line, stored: report.accepted)
        }
        group.begin()
    }
}
