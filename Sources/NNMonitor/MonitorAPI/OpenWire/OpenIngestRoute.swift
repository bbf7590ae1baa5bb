import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `POST /api/v2/runs/{run}/steps`: one step of a run.
struct OpenIngestRoute: Sendable {
    private let monitor: Monitor
    private let decoder: OpenStepDecoder

    init(_ monitor: Monitor) {
        self.monitor = monitor
        decoder = OpenStepDecoder(limits: monitor.configuration.steps)
    }

    var route: Route {
        .on(.POST, "/api/v2/runs/{run}/steps", scope: .ingest, body: .json) { request in
            let runID = RunID(request.parameters[0])
            if let rejection = runID.rejectionInPath { return Self.refusal(rejection) }
            return try await step(request.body, of: runID)
        }
    }

    private static func refusal(_ rejection: RejectedPayload) -> HTTPResponse {
        .json(ByteBuffer(bytes: rejection.body()), status: .unprocessableEntity)
    }

    /// Accepts one step.
    private func step(_ body: ByteBuffer, of runID: RunID) async throws -> HTTPResponse {
        let known = await monitor.store.tables(of: runID)
        var warnings = StepWarnings()
        // The bytes are valid during the closure, and the decoder does not keep the pointer.
        let result = unsafe body.withUnsafeReadableBytes {
            unsafe decoder.decode($0, runID: runID, known: known, warnings: &warnings)
        }
        switch result {
        case .failure(let rejection): return Self.refusal(rejection)
        case .success(let step):
            // 202 is sent after the step is stored, so that a read that follows it sees the step.
            do throws(StoreError) {
                let outcome = try await monitor.accept(step)
                return .json(Self.accepted(outcome, warnings), status: .accepted)
            } catch {
                throw monitor.failures.unavailable(error, during: .append)
            }
        }
    }

    private static func accepted(_ outcome: AppendOutcome, _ warnings: StepWarnings) -> ByteBuffer {
        var writer = JSONWriter(capacity: 128 + outcome.step.runID.byteCount)
        writer.literal("{\"status\":\"accepted\",\"run_id\":")
        writer.string(outcome.step.runID.text)
        writer.literal(",\"seq\":")
        writer.integer(Int64(outcome.step.record.seq))
        if !outcome.step.kept { writer.literal(",\"kept\":false,\"reason\":\"below_kept_steps\"") }
        append(warnings, to: &writer)
        writer.literal("}")
        return ByteBuffer(bytes: writer.bytes)
    }

    private static func append(_ warnings: StepWarnings, to writer: inout JSONWriter) {
        for (index, text) in warnings.texts.enumerated() {
            writer.literal(index == 0 ? ",\"warnings\":[" : ",")
            writer.string(text)
        }
        if !warnings.texts.isEmpty { writer.byte(UInt8(ascii: "]")) }
    }
}
