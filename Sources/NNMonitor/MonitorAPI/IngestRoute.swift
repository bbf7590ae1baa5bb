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
        .on(.POST, "/api/v1/metrics/layerwise", scope: .ingest, body: .json) { request in
            // The bytes are valid during the closure, and the decoder does not keep the pointer.
            switch unsafe request.body.withUnsafeReadableBytes({ unsafe StepDecoder.decode($0) }) {
            case .success(let step):
                // 202 is sent after the step is stored, so that a read that follows it sees the step.
                do throws(StoreError) {
                    try await monitor.accept(step)
                } catch {
                    throw monitor.failures.unavailable(error, during: .append)
                }
                return .json(Self.accepted(step.runID), status: .accepted)
            case .failure(let rejection):
                return .json(ByteBuffer(bytes: rejection.body()), status: .unprocessableEntity)
            }
        }
    }

    private static func accepted(_ runID: RunID) -> ByteBuffer {
        var writer = JSONWriter(capacity: 64 + runID.byteCount)
        writer.literal("{\"status\":\"accepted\",\"run_id\":")
        writer.string(runID.text)
        writer.literal("}")
        return ByteBuffer(bytes: writer.bytes)
    }
}
