import CAllocator
import Foundations
import Testing

@testable import MonitorCore

/// Everything that a run holds besides its steps counts against the memory limit.
@Suite struct RunDetailsMemoryTests {
    /// The size of an array's allocation, in bytes.
    private func held<Element>(_ array: [Element]) -> Int {
        guard array.capacity > 0 else { return 0 }
        return array.withUnsafeBytes { bytes in
            bytes.baseAddress.map { malloc_usable_size(UnsafeMutableRawPointer(mutating: $0 - 32)) + 8 } ?? 0
        }
    }

    @Test func `the counted size of texts is the size of their allocations`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        let text = String(repeating: "é", count: 400)
        let tags = (0..<50).map { #""tag \#($0)""# }.joined(separator: ",")
        let config = (0..<2000).map { #""\#($0)": [1, 2, 3]"# }.joined(separator: ",")
        let run = try await store.put(
            #"{"project":"\#(text)","name":"n","notes":"\#(text)","tags":[\#(tags)],"config":{\#(config)}}"#
        ).run
        let info = run.details.info
        let sizes = [info.project, info.name, info.notes].map { held($0 ?? []) } + info.tags.map(held)
        let allocated = sizes.reduce(held(info.tags), +) + info.config.size
        #expect(allocated <= info.heapBytes)
        #expect(info.heapBytes <= allocated + allocated / 8 + 4096)
    }

    @Test func `everything that a run holds is counted and freed`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        var last = await store.memoryInUse
        func grows(by bytes: Int, _ change: () async throws -> Void) async throws {
            try await change()
            let now = await store.memoryInUse
            #expect(now - last >= bytes && now - last <= 2 * bytes + 4096, "\(now - last) instead of \(bytes)")
            last = now
        }
        try await grows(by: 500) { _ = try await store.put("{}") }
        let text = String(repeating: "x", count: 60_000)
        try await grows(by: 60_000) { _ = try await store.put(#"{"notes":"\#(text)"}"#) }
        try await grows(by: 60_000) { _ = try await store.put(#"{"config":{"a":"\#(text)"}}"#) }
        try await grows(by: 60_000) { _ = try await store.put(#"{"state":"failed","reason":"\#(text)"}"#) }
        try await grows(by: 60_000) {
            var alert = PostedAlert()
            alert.title = Array("t".utf8)
            alert.text = Array(text.utf8)
            _ = await store.note(alert, of: "r")
        }
        try await grows(by: 1000 * 1000) {
            let names = (0..<1000).map { "\($0)" + String(repeating: "n", count: 997) }
            _ = await store.append(OpenSteps.step(1, scalars: names))
            _ = try await store.put(#"{"resume_from":0}"#)
        }
        try await grows(by: 500 * 1000) {
            // Twice the same layers with other attributes: the earlier ones are kept.
            let type = String(repeating: "t", count: 950)
            let layers = (0..<500).map { TestLayer(id: "l\($0)", type: type) }
            _ = await store.append(OpenSteps.step(1, layers: layers))
            _ = await store.append(OpenSteps.step(1, layers: layers.map { TestLayer(id: $0.id) }))
            _ = try await store.put(#"{"resume_from":0}"#)
        }
        _ = try await store.put(#"{"notes":null,"reason":null,"config":{"a":null}}"#)
        #expect(await store.memoryInUse <= last - 120_000)
        #expect(await store.remove("r") != nil)
        #expect(await store.memoryInUse == 0)
    }

    @Test func `the texts of events are freed with them`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        _ = try await store.put("{}")
        var alert = PostedAlert()
        alert.text = Array(repeating: 0x20, count: 1000)
        for _ in 0..<RunEvents.maximum { _ = await store.note(alert, of: "r") }
        let full = await store.memoryInUse
        #expect(full >= 1000 * RunEvents.maximum)
        alert.text = nil
        for _ in 0..<RunEvents.maximum { _ = await store.note(alert, of: "r") }
        #expect(await store.memoryInUse <= full - 1000 * RunEvents.maximum)
    }

    @Test func `over the memory limit steps are dropped before events`() async throws {
        let store = MemoryStore(limits: StoreLimits(memory: 400_000))
        for number: Int64 in 0..<100 { _ = await store.append(OpenSteps.step(number, scalars: ["a"])) }
        var alert = PostedAlert()
        alert.text = Array(repeating: 0x20, count: 50_000)
        for _ in 0..<20 {
            _ = await store.note(alert, of: "r")
            #expect(await store.memoryInUse <= 400_000)
        }
        let run = try #require(await store.describe("r"))
        #expect(run.stepCount == 1 && run.lastStep == 99)
        #expect(run.details.events.count < 20)
    }
}
