import Foundations
import MonitorCore
import NIOCore
import Testing

@testable import HTTPService
@testable import MonitorAPI

/// A refused `subscribe_run` changes nothing of what the client watches.
@Suite(.timeLimit(.minutes(1))) struct RefusedSubscriptionTests {
    private let store = TestStore()

    /// Subscribes while the server refuses it, and expects an error and no message of the run.
    private func expectRefusal(_ monitor: Monitor, _ message: String, _ refuse: () async throws -> Void) async throws {
        try await monitor.accept(Payload.step(1))
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        try await subscriber.send(#"{"action":"watch","run_ids":["other"]}"#)
        #expect(try await subscriber.receive()["type"] as? String == "watching")
        try await refuse()
        try await subscriber.send(#"{"action":"subscribe_run","run_id":"r","form":"columns"}"#)
        #expect(try await subscriber.receive()["message"] as? String == message)
        await store.set(.succeed)
        try await monitor.accept(Payload.step(2))
        try await monitor.accept(Payload.step(1, run: "other"))
        // The message of the other run comes after those of step 2, if there were any.
        #expect(try await subscriber.receive()["run_id"] as? String == "other")
    }

    @Test func `a subscription without memory is not added`() async throws {
        var configuration = MonitorConfiguration()
        configuration.readMemory = 4 << 20
        let monitor = Monitor(configuration: configuration, store: store)
        var held: [ResponseReservation] = []
        try await expectRefusal(monitor, ResponseBudget.busyMessage) {
            while let reservation = try? monitor.answers.reserve(1024, access: nil, peer: "127.0.0.1") {
                held.append(reservation)
            }
        }
        #expect(!held.isEmpty)
    }

    @Test(arguments: [0, 1]) func `a subscription to a run that cannot be read is not added`(reads: Int) async throws {
        let monitor = Monitor(configuration: MonitorConfiguration(), store: store)
        try await expectRefusal(monitor, StoreFailures.message) { await store.failReads(after: reads) }
    }

    @Test func `the memory of the largest structure is reserved`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let layers = (0..<100).map { #"{"id":"l\#($0)","type":"\#(String(repeating: "t", count: 1000))"}"# }
        let body = #"{"step":1,"layers":[\#(layers.joined(separator: ","))]}"#
        var warnings = StepWarnings()
        let step = OpenStepDecoder(limits: OpenStepLimits()).decode(
            Array(body.utf8), runID: "r", warnings: &warnings)
        try await monitor.accept(step.get())
        func memory(_ action: String) async throws -> Int {
            let place = try monitor.subscribers.admit()
            let answers = SubscriberAnswers(monitor: monitor, deflate: nil, access: nil, peer: "127.0.0.1")
            let queue = SubscriberQueue<LiveFrame>(limits: QueueLimits()) {}
            guard case .success(.subscribe(let subscription)) = SubscriberAction.decode(Array(action.utf8)),
                case .ready(let history) = await answers.history(subscription, queue, place, SentStructures())
            else { return 0 }
            return withExtendedLifetime(history) { monitor.answers.inUse }
        }
        let plain = try await memory(#"{"action":"subscribe_run","run_id":"r","form":"columns"}"#)
        let shared = try await memory(#"{"action":"subscribe_run","run_id":"r","form":"columns","layers":false}"#)
        #expect(shared - plain > 3 * 100_000)
    }
}
