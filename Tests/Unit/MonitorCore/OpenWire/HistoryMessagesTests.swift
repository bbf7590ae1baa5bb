import Foundations
import Testing

@testable import MonitorCore

/// Missed steps as single messages.
@Suite struct HistoryMessagesTests {
    private func store(_ steps: Range<Int64>) async -> MemoryStore {
        let store = MemoryStore(limits: StoreLimits())
        for number in steps { _ = await store.append(OpenSteps.step(number)) }
        return store
    }

    private func messages(
        _ store: MemoryStore, after seq: UInt64, form: LiveForm, structures: SentStructures = SentStructures()
    ) async throws -> [(text: String, seq: UInt64?)] {
        let history = RunHistory(try #require(await store.changes(of: "r", after: seq, createdAt: nil)))
        var messages = try await HistoryMessages(history, form: form, structures: structures)
        var found: [(String, UInt64?)] = []
        while let message = try await messages.next() {
            found.append((String(decoding: message.json, as: UTF8.self), message.seq))
        }
        let after = try await messages.next()
        #expect(after == nil)
        return found
    }

    @Test(arguments: [LiveForm.nested(.full), .nested(.lite), .columns(.all)])
    func `each message is the one that came live`(form: LiveForm) async throws {
        // More steps than a batch.
        let store = MemoryStore(limits: StoreLimits())
        var live: [String] = []
        var events = EventMessages()
        for number: Int64 in 0..<700 {
            let outcome = await store.append(OpenSteps.step(number))
            events.begin(.stored(outcome.step))
            live.append(String(decoding: events.json(.step(form)), as: UTF8.self))
        }
        let found = try await messages(store, after: 100, form: form)
        #expect(found.map(\.text) == Array(live[100...]))
        #expect(found.map(\.seq) == (101...700).map { UInt64($0) })
    }

    @Test func `reset comes first and is no step`() async throws {
        let found = try await messages(await store(0..<2), after: 9, form: .columns(.all))
        #expect(found.map(\.seq) == [nil, 1, 2])
        #expect(found[0].text == #"{"type":"reset","run_id":"r"}"#)
    }
}
