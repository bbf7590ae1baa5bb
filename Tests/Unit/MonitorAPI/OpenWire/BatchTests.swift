import Compression
import Foundations
import MonitorCore
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService
@testable import MonitorAPI

/// Batches of steps: failures of the store in their middle, memory, and how often their trainer posts.
@Suite(.timeLimit(.minutes(1))) struct BatchTests {
    /// Posts a batch; returns the status and the body of the response.
    private func post(_ lines: [String], to monitor: Monitor) async throws -> (status: UInt, body: String) {
        guard case .handle(_, let handler) = OpenIngestRoute(monitor).route.action else {
            throw HTTPServiceError.connectionClosed
        }
        var request = HTTPRequest(method: .POST, path: "/", parameters: ["r"])
        request.lines = LineBody(
            coding: .identity, limits: ExpansionLimits(maximumSize: 1 << 30, maximumRatio: 1000, ratioFloor: 65_536))
        request.lines?.append(ByteBuffer(string: lines.joined(separator: "\n")))
        let response: HTTPResponse
        do {
            response = try await handler(request)
        } catch let error as HTTPError {
            response = error.response
        }
        guard case .bytes(let body) = response.body else { return (response.status.code, "") }
        return (response.status.code, String(buffer: body))
    }

    @Test func `a store that fails in the middle keeps the lines before`() async throws {
        let store = TestStore()
        let monitor = Monitor(configuration: MonitorConfiguration(), store: store)
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        let lines = ["{\"step\":1}", "{}", "", "{\"step\":2}", "{\"step\":3}", "{\"step\":4}"]
        await store.set(.failAfter(2))
        let failed = try await post(lines, to: monitor)
        #expect(failed.status == 503)
        #expect(
            failed.body == #"{"detail":{"error":"store_unavailable","message":"The store failed at line 5: 2 lines "#
                + #"before it were stored, and none from it on; send the batch again later"}}"#)
        #expect(monitor.counters.stepsAccepted.value == 2)
        #expect(monitor.counters.rejected(.storeUnavailable) == 1 && monitor.counters.rejected(.invalid) == 1)
        await store.set(.succeed)
        // The same batch again: its steps replace themselves.
        let answer = try await post(lines, to: monitor)
        #expect(answer.status == 202 && answer.body.contains(#""accepted":4"#))
        var steps: [Int] = []
        while steps.count < 6 {
            let data = try await subscriber.receive()["data"] as? [String: Any]
            steps.append(try #require(data?["step"] as? Int))
        }
        #expect(steps == [1, 2, 1, 2, 3, 4])
    }

    @Test func `lines for which a run has no memory are accepted and counted`() async throws {
        let store = MemoryStore(limits: StoreLimits(memory: 40_000))
        let monitor = Monitor(configuration: MonitorConfiguration(), store: store)
        let scalars = (0..<100).map { "\"s\($0)\":\($0)" }.joined(separator: ",")
        // Descending, so that the lowest step, which a full run drops, is the posted one.
        let lines = (0..<100).map { "{\"step\":\(1000 - $0),\"scalars\":{\(scalars)}}" }
        let answer = try await post(lines, to: monitor)
        #expect(answer.status == 202)
        let kept = try #require(await store.describe("r")).stepCount
        #expect(kept > 1 && kept < 100)
        #expect(answer.body.contains(#""accepted":100,"last_seq":100,"rejected":[],"rejected_count":0,"#))
        let notKept = monitor.counters.stepsOverMemory.value
        #expect(answer.body.contains("\"not_kept\":\(notKept)"))
        // Others were kept at first, and dropped when the buckets grew.
        #expect(notKept > 0 && notKept <= 100 - kept)
    }

    @Test(arguments: [1, 40]) func `a trainer that posts batches is silent after ten of its intervals`(lines: Int)
        async throws
    {
        let time = Locked<Int64>(1_000_000_000)
        let store = MemoryStore(limits: StoreLimits()) { UTCTime(microseconds: time.withLock { $0 }) }
        let monitor = Monitor(configuration: MonitorConfiguration(), store: store)
        func isSilent() async throws -> Bool { try #require(await store.describe("r")).isSilent }
        for batch in 0..<8 {
            let steps = (0..<lines).map { "{\"step\":\(batch * lines + $0)}" }
            #expect(try await post(steps, to: monitor).status == 202)
            time.withLock { $0 += 20_000_000 }
        }
        time.withLock { $0 += 175_000_000 }
        #expect(try await isSilent() == false)
        time.withLock { $0 += 10_000_000 }
        #expect(try await isSilent())
    }
}
