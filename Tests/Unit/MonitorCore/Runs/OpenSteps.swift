import Foundations

@testable import MonitorCore

/// A layer of a test's step.
struct TestLayer {
    var id: String
    var type: String?
    var depth: Int64?
    var shape: [Int64]?
    var parameters: Int64?
    var group: String?
}

/// Steps of the open wire, assembled without the decoder.
enum OpenSteps {
    /// A step with scalars, metrics that have the same value for each layer, and vectors of two values.
    static func step(
        _ number: Int64, run: String = "r", scalars: [String] = [], layers: [TestLayer] = [], metrics: [String] = [],
        vectors: [(name: String, layer: String)] = []
    ) -> DecodedStep {
        var step = StepContents()
        step.runID = RunID(run)
        step.step = number
        step.timestamp = 1
        step.layout = layout(layers)
        step.shapes = shapes(layers)
        for (index, name) in metrics.enumerated() {
            step.columns.metricBounds += add(name, to: &step.columns.text)
            step.numbers += layers.map { _ in Double(index) }
        }
        for (index, name) in scalars.enumerated() {
            step.columns.scalarBounds += add(name, to: &step.columns.text)
            step.numbers.append(Double(index) + 0.5)
        }
        for vector in vectors {
            step.columns.vectorBounds += add(vector.name, to: &step.columns.text)
            step.columns.vectorBounds += add(vector.layer, to: &step.columns.text)
            step.columns.vectorBounds.append(2)
            step.numbers += [7, 8]
        }
        return DecodedStep(step)
    }

    private static func layout(_ layers: [TestLayer]) -> LayerLayout {
        var layout = LayerLayout()
        for layer in layers {
            layout.nameBounds += add(layer.id, to: &layout.text)
            layout.nameBounds += add(layer.type, to: &layout.text)
            layout.depths.append(layer.depth ?? -1)
            layout.parameterCounts.append(layer.parameters ?? -1)
            layout.groupBounds += add(layer.group, to: &layout.text)
        }
        if layers.allSatisfy({ $0.parameters == nil }) { layout.parameterCounts = [] }
        if layers.allSatisfy({ $0.group == nil }) { layout.groupBounds = [] }
        return layout
    }

    private static func shapes(_ layers: [TestLayer]) -> ActivationShapes {
        var shapes = ActivationShapes()
        if layers.allSatisfy({ $0.shape == nil }) { return shapes }
        for layer in layers {
            shapes.dimensions += layer.shape ?? []
            let end = Int32(shapes.dimensions.count)
            shapes.ends.append(layer.shape == nil ? ~end : end)
        }
        return shapes
    }

    private static func add(_ name: String?, to text: inout [UInt8]) -> [Int32] {
        guard let name else { return [-1, -1] }
        let start = Int32(text.count)
        text += name.utf8
        return [start, Int32(text.count)]
    }

    /// An update of a run, from JSON.
    static func update(_ json: String) throws -> RunUpdate {
        try RunUpdateDecoder.update(Array(json.utf8)).get()
    }
}

extension MemoryStore {
    /// Updates a run with JSON.
    func put(_ json: String, _ run: RunID = "r") throws -> RunUpdateOutcome {
        try update(run, with: OpenSteps.update(json)).get()
    }

    /// The run as JSON.
    func json(_ run: RunID = "r") throws -> String {
        guard let run = describe(run) else { return "" }
        var writer = JSONWriter()
        RunEncoder.append(run, .whole, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension NameTable {
    var texts: [String] { (0..<count).map { String(decoding: self[$0], as: UTF8.self) } }
}
