import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `POST /api/v1/metrics/layerwise`: one step of a run.
struct IngestRoute: Sendable {
    private let monitor: Monitor

    init(_ monitor: Monitor) { self.monitor = monitor }

    var route: Route {
        .on(.POST, "/api/v1/metrics/layerwise", scope: .ingest, body: .json, observer: monitor.counters) { request in
            // The bytes are valid during the closure, and the decoder does not keep the pointer.
            switch unsafe request.body.withUnsafeReadableBytes({ unsafe StepDecoder.decode($0) }) {
            case .success(let step):
                // 202 is sent after the step is stored, so that a read that follows it sees the step.
                let outcome: AppendOutcome
                do throws(StoreError) {
                    outcome = try await monitor.accept(step)
                } catch {
                    monitor.counters.reject(.storeUnavailable)
                    throw monitor.failures.unavailable(error, during: .append)
                }
                return .json(Self.accepted(outcome.step), status: .accepted)
            case .failure(let rejection):
                monitor.counters.reject(.invalid)
                return .json(ByteBuffer(bytes: rejection.body()), status: .unprocessableEntity)
            }
        }
    }

    private static func accepted(_ step: StoredStep) -> ByteBuffer {
        var writer = JSONWriter(capacity: 96 + step.runID.byteCount)
        writer.literal("{\"status\":\"accepted\",\"run_id\":")
        writer.string(step.runID.text)
        writer.literal(",\"seq\":")
        writer.integer(Int64(step.record.seq))
        writer.literal("}")
        return ByteBuffer(bytes: writer.bytes)
    }
}
