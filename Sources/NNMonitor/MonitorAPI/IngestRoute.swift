import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1
import Foundations

/// `POST /api/v1/metrics/layerwise`: one step of a trainer.
struct IngestRoute: Sendable {
    private let monitor: Monitor

    init(_ monitor: Monitor) { self.monitor = monitor }

    var route: Route {
        .on(.POST, "/api/v1/metrics/layerwise", scope: .ingest, body: .json) { request in
            // The decoder keeps nothing of the pointer.
            switch unsafe request.body.withUnsafeReadableBytes({ unsafe StepDecoder.decode($0) }) {
            case .success(let step):
                // The answer comes after this, so that a read that follows it sees the step.
                await monitor.accept(step)
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
