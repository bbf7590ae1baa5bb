import Testing

@testable import MonitorAPI

@Suite struct EventSignalTests {
    @Test func `reasons since the last wait are reported together`() async {
        let signal = EventSignal()
        signal.raise(.messages)
        signal.raise(.keepAlive)
        #expect(await signal.wait() == [.messages, .keepAlive])
        signal.raise(.stopping)
        #expect(await signal.wait() == .stopping)
    }

    @Test func `a task that waits is woken`() async {
        let signal = EventSignal()
        for _ in 0..<200 {
            let waiter = Task { await signal.wait() }
            await Task.yield()
            signal.raise(.messages)
            #expect(await waiter.value == .messages)
        }
    }

    @Test func `a cancelled task does not wait`() async {
        let signal = EventSignal()
        for _ in 0..<200 {
            let waiter = Task { await signal.wait() }
            await Task.yield()
            waiter.cancel()
            #expect(await waiter.value == .cancelled)
        }
    }
}
