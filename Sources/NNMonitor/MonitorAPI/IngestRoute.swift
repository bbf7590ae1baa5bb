import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `POST /api/v1/metrics/layerwise`: one step of a run.
struct IngestRoute: Sendable {
    private let monitor: Monitor
    private let likelyNames = LikelyNames()

    init(_ monitor: Monitor) { self.monitor = monitor }

    var route: Route {
        .on(.POST, "/api/v1/metrics/layerwise", scope: .ingest, body: .json, observer: monitor.counters) { request in
            switch decode(request.body) {
            case .success(let step):
                // 202 is sent after the step is stored, so that a read that follows it sees the step.
                let outcome: AppendOutcome
                do throws(StoreError) {
                    outcome = try await monitor.accept(step)
                } catch {
                    monitor.counters.reject(.storeUnavailable)
                    throw monitor.failures.unavailable(error, during: .append)
                }
                return response(to: outcome)
            case .failure(let rejection):
                monitor.counters.reject(.invalid)
                return .json(ByteBuffer(bytes: rejection.body()), status: .unprocessableEntity)
            }
        }
    }

    /// Not inlined, like the next method: each request would reserve space for their variables while it waits.
    @inline(never)
    private func decode(_ body: ByteBuffer) -> Result<DecodedStep, RejectedPayload> {
        let likely = likelyNames.current
        // The bytes are valid during the closure, and the decoder does not keep the pointer.
        return unsafe body.withUnsafeReadableBytes { unsafe StepDecoder.decode($0, likely: likely) }
    }

    @inline(never)
    private func response(to outcome: AppendOutcome) -> HTTPResponse {
        likelyNames.note(outcome.step.record)
        return .json(.accepted(outcome.step), status: .accepted)
    }
}

extension ByteBuffer {
    /// The response to an accepted step.
    ///
    /// - Parameters:
    ///   - step: the step.
    ///   - rest: the JSON of further keys, each after a comma.
    /// - Returns: the body.
    static func accepted(_ step: StoredStep, rest: [UInt8] = []) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(80 + step.runID.byteCount + rest.count)
        buffer.writeStaticString("{\"status\":\"accepted\",\"run_id\":")
        buffer.writeJSON(step.runID)
        buffer.writeStaticString(",\"seq\":")
        buffer.writeString(String(step.record.seq))
        buffer.writeBytes(rest)
        buffer.writeStaticString("}")
        return buffer
    }

    /// Writes a text as a JSON string. Most need no escapes, and are copied at once.
    private mutating func writeJSON(_ text: ByteString) {
        let isPlain = text.text.utf8.allSatisfy {
            $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        guard isPlain else {
            var writer = JSONWriter()
            writer.string(text.text)
            writeBytes(writer.bytes)
            return
        }
        writeStaticString("\"")
        writeString(text.text)
        writeStaticString("\"")
    }
}
