import Foundations
import Testing

@testable import MonitorCore

/// The names and the layers of a run.
@Suite struct RunNamesTests {
    @Test func `names are listed once in order of appearance`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        let layers = [TestLayer(id: "a"), TestLayer(id: "b")]
        _ = await store.append(OpenSteps.step(1, scalars: ["loss"], layers: layers, metrics: ["m", "n"]))
        _ = await store.append(OpenSteps.step(2, scalars: ["lr", "loss"]))
        let vectors = [(name: "v", layer: "b"), (name: "v", layer: "c")]
        _ = await store.append(OpenSteps.step(3, layers: layers, metrics: ["n", "o"], vectors: vectors))
        let names = try #require(await store.describe("r")).details.names
        #expect(names.scalars.texts == ["loss", "lr"])
        #expect(names.metrics.texts == ["m", "n", "o"])
        #expect(names.vectors.texts == ["v"])
        #expect(names.layers.texts == ["a", "b", "c"])
        #expect(names.count == 9)
    }

    @Test func `a table of names behaves like an ordered set`() {
        var random = SystemRandomNumberGenerator()
        var table = NameTable()
        var model: [String] = []
        for _ in 0..<2000 {
            let name = String(Int.random(in: 0..<500, using: &random), radix: 36)
            table.insert(Array(name.utf8)[...])
            if !model.contains(name) { model.append(name) }
        }
        #expect(table.texts == model)
        for (index, name) in model.enumerated() { #expect(table.index(of: Array(name.utf8)[...]) == index) }
        #expect(table.index(of: Array("-".utf8)[...]) == nil)
    }

    @Test func `names above the limit are ignored with a warning`() async throws {
        let store = MemoryStore(limits: StoreLimits(namesPerRun: 6))
        let layers = [
            TestLayer(id: "a", type: "T", shape: [1, 2]), TestLayer(id: "b", depth: 3, parameters: 9, group: "g"),
        ]
        let first = await store.append(OpenSteps.step(1, scalars: ["loss"], layers: layers, metrics: ["m"]))
        #expect(first.warnings.isEmpty)
        let more = [TestLayer(id: "c", shape: [5]), layers[0], TestLayer(id: "d"), layers[1]]
        let step = OpenSteps.step(
            2, scalars: ["x", "loss", "y"], layers: more, metrics: ["m", "n"], vectors: [("v", "a"), ("w", "b")])
        let outcome = await store.append(step)
        #expect(
            outcome.warnings.map { $0.prefix { $0 != ":" } } == [
                #"the layer "c" is ignored"#, #"the layer "d" is ignored"#, #"the scalar "y" is ignored"#,
                #"the vector "v" is ignored"#, #"the vector "w" is ignored"#,
            ])
        #expect(outcome.warnings.allSatisfy { $0.contains("NN_MONITOR_MAX_NAMES_PER_RUN") })
        var writer = JSONWriter()
        var encoder = OpenStepEncoder()
        encoder.append(outcome.step.record, to: &writer)
        let json = String(decoding: writer.bytes, as: UTF8.self)
        #expect(
            json == #"{"step":2,"time":1.0,"seq":2,"scalars":{"x":0.5,"loss":1.5},"#
                + #""layers":[{"id":"a","type":"T","shape":[1,2]},{"id":"b","depth":3,"parameters":9,"group":"g"}],"#
                + #""metrics":{"m":[0.0,0.0],"n":[1.0,1.0]}}"#)
        // The same step once more, and one whose layers are too many as well.
        #expect(await store.append(step).warnings.count == 5)
        let last = await store.append(
            OpenSteps.step(3, layers: [TestLayer(id: "e"), layers[1], TestLayer(id: "f")], metrics: ["m"]))
        #expect(last.warnings.count == 2)
        #expect(last.step.record.table.layerID(0) == "b" && last.step.record.numbers == [0])
        let run = try #require(await store.describe("r"))
        #expect(run.details.names.count == 6)
        // The largest numbers of one step.
        let description = try await store.json()
        let ignored = #","ignored_names":{"layers":2,"metrics":0,"scalars":1,"vectors":2,"maximum":6},"alerts":"#
        #expect(description.contains(ignored))
    }

    @Test func `a run of more layers than names keeps all its metrics and scalars, and most layers`() async throws {
        let store = MemoryStore(limits: StoreLimits(namesPerRun: 100))
        let layers = (0..<100).map { TestLayer(id: "layer\($0)") }
        let outcome = await store.append(OpenSteps.step(1, scalars: ["loss"], layers: layers, metrics: ["m", "n"]))
        #expect(outcome.warnings.count == 3)
        #expect(outcome.step.record.layerCount == 97)
        let names = try #require(await store.describe("r")).details.names
        #expect(names.metrics.texts == ["m", "n"] && names.scalars.texts == ["loss"] && names.layers.count == 97)
        let ignored = try #require(names.ignored)
        #expect((ignored.layers, ignored.metrics, ignored.scalars, ignored.vectors) == (3, 0, 0, 0))
        #expect(ignored.maximum == 100)
    }

    @Test func `a run that took everything does not mention ignored names`() async throws {
        let store = MemoryStore(limits: StoreLimits(namesPerRun: 3))
        _ = await store.append(OpenSteps.step(1, layers: [TestLayer(id: "a"), TestLayer(id: "b")], metrics: ["m"]))
        let json = try await store.json()
        #expect(!json.contains("ignored_names"))
    }

    @Test func `a step of v1 is kept whole above the limit`() async throws {
        let store = MemoryStore(limits: StoreLimits(namesPerRun: 3))
        let layers = [Payloads.layer(), Payloads.layer(id: "b", depth: "1")]
        let outcome = await store.append(Payloads.step(1, layers: layers))
        #expect(outcome.warnings.isEmpty)
        #expect(outcome.step.record.layerCount == 2 && outcome.step.record.columns.layout.scalarCount == 2)
        // Two layers, one of its scalars, and the metrics: they are noted also above the limit.
        let names = try #require(await store.describe("r")).details.names
        #expect((names.layers.count, names.scalars.count) == (2, 1))
        #expect(names.metrics.count > 2)
        #expect(try #require(names.ignored).scalars == 1)
    }

    @Test func `layers have the attributes that were posted last`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        func layers() async throws -> String {
            let json = try await store.json()
            return String(json[try #require(json.firstRange(of: #""layers":"#)).upperBound...].dropLast())
        }
        let full = TestLayer(id: "a", type: "T", depth: 3, shape: [2, 3], parameters: 9, group: "g")
        _ = await store.append(OpenSteps.step(1, layers: [full]))
        _ = await store.append(OpenSteps.step(3, layers: [TestLayer(id: "a", shape: [7]), TestLayer(id: "c")]))
        _ = await store.append(OpenSteps.step(4, scalars: ["loss"]))
        #expect(
            try await layers()
                == #"[{"id":"a","type":"T","depth":3,"shape":[7],"parameters":9,"group":"g"},{"id":"c"}]"#)
        _ = await store.append(OpenSteps.step(2, layers: [TestLayer(id: "c", type: "U"), TestLayer(id: "a")]))
        #expect(
            try await layers()
                == #"[{"id":"c","type":"U"},{"id":"a","type":"T","depth":3,"shape":[7],"parameters":9,"group":"g"}]"#)
        // The structure outlives its steps.
        _ = try await store.put(#"{"resume_from":0}"#)
        #expect(try #require(await store.describe("r")).details.structure.layerCount == 2)
    }

    @Test func `derived metrics are those whose inputs are posted`() async throws {
        func derived(_ metrics: [String], parameters: Int64? = nil) async throws -> [String] {
            let store = MemoryStore(limits: StoreLimits())
            let layer = TestLayer(id: "a", parameters: parameters)
            _ = await store.append(OpenSteps.step(1, layers: [layer], metrics: metrics))
            return try #require(await store.describe("r")).details.names.derived.map(\.description)
        }
        #expect(try await derived(["gradient_l2_norm"]) == [])
        #expect(try await derived(["gradient_l2_norm"], parameters: 4) == ["gradient_rms"])
        let rms = try await derived(["gradient_l2_norm", "gradient_max_abs"], parameters: 4)
        #expect(rms == ["gradient_rms", "heavy_tail"])
        #expect(
            try await derived(["gradient_l2_norm", "weight_frobenius_norm", "weight_std", "weight_mean"])
                == ["gradient_to_weight", "gradient_rms"])
        #expect(try await derived(["weight_frobenius_norm", "weight_spectral_norm"]) == ["stable_rank"])
        #expect(try await derived(["weight_frobenius_norm", "weight_spectral_norm", "stable_rank"]) == [])
    }
}
