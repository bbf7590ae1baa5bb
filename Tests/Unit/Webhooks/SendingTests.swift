import Foundations
import MonitorCore
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Webhooks

@Suite struct SendingTests {
    @Test func `The wait doubles up to its maximum, and is random below that`() {
        let backoff = Backoff(base: .seconds(1), maximum: .seconds(60))
        let longest = (1...9).map { backoff.delay(after: $0, retryAfter: nil) { $0 }.nanoseconds / 1_000_000_000 }
        #expect(longest == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        #expect(backoff.delay(after: 5, retryAfter: nil) { _ in 0 } == .zero)
        #expect(backoff.delay(after: 10_000, retryAfter: nil) { $0 } == .seconds(60))
        let some = Set((0..<50).map { _ in backoff.delay(after: 5, retryAfter: nil).nanoseconds })
        #expect(some.count > 40 && some.allSatisfy { (0...16_000_000_000).contains($0) })
    }

    @Test func `The receiver's own wait counts up to the maximum`() {
        let backoff = Backoff(base: .seconds(1), maximum: .seconds(60))
        #expect(backoff.delay(after: 1, retryAfter: .seconds(30)) { $0 } == .seconds(30))
        #expect(backoff.delay(after: 6, retryAfter: .seconds(3)) { $0 } == .seconds(32))
        #expect(backoff.delay(after: 1, retryAfter: .seconds(86_400)) { $0 } == .seconds(60))
    }

    @Test(arguments: [
        (200, nil, "delivered"), (204, nil, "delivered"), (408, nil, "retry 0"), (425, nil, "retry 0"),
        (429, "7", "retry 7"), (429, "0.5", "retry 0.5"), (503, "Sun, 06 Nov 1994 08:49:37 GMT", "retry 10"),
        (503, "Sun, 06 Nov 1994 08:49:20 GMT", "retry 0"), (503, "soon", "retry 0"), (503, "-1", "retry 0"),
        (503, "99999999999999999999", "retry 86400"), (500, nil, "retry 0"), (599, nil, "retry 0"),
        (400, nil, "refused"), (401, nil, "refused"), (404, nil, "refused"), (410, nil, "refused"),
        (413, nil, "refused"), (301, nil, "refused"), (101, nil, "refused"), (600, nil, "refused"),
    ])
    func `A response means delivered, refused or another attempt`(code: Int, after: String?, wanted: String) {
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: code))
        if let after { head.headers.add(name: "Retry-After", value: after) }
        let found =
            switch DeliveryOutcome(head, now: 784_111_767) {
            case .delivered: "delivered"
            case .refused: "refused"
            case .failed(_, let time): "retry \(AlertSummary.number(Double(time?.nanoseconds ?? 0) / 1e9))"
            }
        #expect(found == wanted)
    }

    @Test func `A redirect is refused with the host of its target, and nothing else of it`() {
        let head = HTTPResponseHead(
            version: .http1_1, status: .found, headers: ["Location": "https://other.example.org/secret?x"])
        #expect(
            DeliveryOutcome(head)
                == .refused(
                    "it redirects (302) to the host other.example.org and redirects are not followed: "
                        + "set its final address in ALERT_WEBHOOKS"))
    }

    @Test func `A full queue loses its oldest event`() {
        var queue = DeliveryQueue(limit: 2)
        let deliveries = ["a", "b", "c"].map { DeliveryQueue.Delivery(Notices.posted($0)) }
        #expect(queue.append(deliveries[0]) == nil && queue.append(deliveries[1]) == nil)
        #expect(queue.append(deliveries[2])?.id == deliveries[0].id)
        #expect(queue.popFirst()?.id == deliveries[1].id && queue.count == 1)
        #expect(queue.removeAll() == 1 && queue.popFirst() == nil)
        #expect(Set(deliveries.map(\.id)).count == 3 && deliveries.allSatisfy { $0.id.utf8.count == 32 })
    }

    /// A sender whose receiver the test plays.
    private func sender(
        _ change: (inout WebhooksConfiguration) -> Void = { _ in },
        answer: @escaping @Sendable (WebhookClient.Request) async -> DeliveryOutcome
    ) throws -> WebhookSender {
        var configuration = WebhooksConfiguration()
        configuration.retryBase = .nanoseconds(1)
        configuration.retryMaximum = .nanoseconds(1)
        change(&configuration)
        return WebhookSender(
            number: 1, webhook: try Webhook("json=http://localhost/"), configuration: configuration,
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(), log: { _ in }, client: answer)
    }

    @Test func `Events are sent in their order, again with the same id and body until they are delivered`() async throws
    {
        let sent = Locked<[WebhookClient.Request]>([])
        let sender = try sender { request in
            let count = sent.withLock { sent in
                sent.append(request)
                return sent.count
            }
            return count.isMultiple(of: 3) ? .delivered : .failed("f", retryAfter: nil)
        }
        for number in 0..<4 { sender.enqueue(Notices.posted("\(number)")) }
        #expect(sender.counts.waiting == 4)
        sender.stop()
        await sender.run()
        let requests = sent.withLock { $0 }
        #expect(requests.count == 12)
        for number in 0..<4 {
            let attempts = requests[number * 3..<number * 3 + 3]
            #expect(Set(attempts.map(\.delivery)).count == 1 && Set(attempts.map(\.body)).count == 1)
            #expect(String(decoding: attempts[number * 3].body, as: UTF8.self).contains("\"title\":\"\(number)\""))
        }
        #expect(Set(requests.map(\.delivery)).count == 4)
        var wanted = DeliveryCounts()
        (wanted.delivered, wanted.retries) = (4, 8)
        #expect(sender.counts == wanted)
    }

    @Test func `An event is lost after its last attempt, or when it is refused`() async throws {
        let answers = Locked<[DeliveryOutcome]>(
            [.refused("r")] + Array(repeating: .failed("f", retryAfter: nil), count: 3) + [.delivered])
        let sender = try sender {
            $0.retries = 2
        } answer: { _ in
            answers.withLock { $0.removeFirst() }
        }
        for _ in 0..<3 { sender.enqueue(Notices.posted("t")) }
        sender.stop()
        await sender.run()
        var wanted = DeliveryCounts()
        (wanted.delivered, wanted.refused, wanted.failed, wanted.retries) = (1, 1, 1, 2)
        #expect(sender.counts == wanted)
    }

    @Test func `What is not delivered when the time to stop is over is lost`() async throws {
        var configuration = WebhooksConfiguration()
        configuration.queueLimit = 3
        let entered = AsyncStream.makeStream(of: Void.self)
        let sender = try sender {
            $0.queueLimit = 3
        } answer: { _ in
            entered.continuation.yield()
            // Ends when the task is cancelled.
            try? await Task.sleep(for: .seconds(3600))
            return .failed("f", retryAfter: nil)
        }
        sender.enqueue(Notices.posted("first"))
        let running = Task { await sender.run() }
        for await _ in entered.stream { break }
        for number in 0..<5 { sender.enqueue(Notices.posted("\(number)")) }
        #expect(sender.counts.waiting == 4 && sender.counts.queueFull == 2)
        sender.stop()
        running.cancel()
        await running.value
        sender.enqueue(Notices.posted("late"))
        #expect(sender.counts.waiting == 0 && sender.counts.stopped == 5 && sender.counts.lost == 7)
    }

    @Test func `Stopping ends a wait`() async throws {
        let answers = Locked<[DeliveryOutcome]>([.failed("f", retryAfter: .seconds(3600)), .delivered])
        let entered = AsyncStream.makeStream(of: Void.self)
        let sender = try sender {
            $0.retryMaximum = .hours(1)
        } answer: { _ in
            defer { entered.continuation.yield() }
            return answers.withLock { $0.removeFirst() }
        }
        sender.enqueue(Notices.posted("t"))
        let running = Task { await sender.run() }
        for await _ in entered.stream { break }
        // The sender may not wait yet: its wait must end whenever it begins.
        sender.stop()
        await running.value
        #expect(sender.counts.delivered == 1)
    }
}
