/// Warnings about ignored fields in the posted steps of a request, each text once.
package struct StepWarnings: Sendable {
    /// The maximum number of warnings.
    static let maximum = 10

    /// The kind of value of an ignored field, for the advice.
    enum Value: Sendable {
        case number, list, other
    }

    /// What a warning is about.
    private enum Subject: Sendable, Equatable {
        case field(key: [UInt8], Value)
        case layerField(key: [UInt8], Value)
        case time
        case histogram(name: [UInt8])
    }

    /// The warnings.
    package private(set) var texts: [String] = []
    private var subjects: [Subject] = []

    /// No warnings.
    package init() {}

    /// Whether further warnings are dropped.
    var isFull: Bool { texts.count >= Self.maximum }

    /// Warns of an unknown field of the step.
    mutating func ignored(_ key: [UInt8], _ value: Value) {
        add(.field(key: key, value)) {
            let name = Self.quoted(key)
            if let advice = Self.advice(for: key) { return "\(name) at the top level is ignored: \(advice)" }
            switch value {
            case .number: return "\(name) at the top level is ignored: put it under \"scalars\""
            case .list: return "\(name) at the top level is ignored: put it under \"metrics\""
            case .other: return "\(name) at the top level is ignored: a step has no such field"
            }
        }
    }

    /// Warns of an unknown field of a layer.
    mutating func ignoredInLayer(_ key: [UInt8], _ value: Value) {
        add(.layerField(key: key, value)) {
            let name = Self.quoted(key)
            switch String(decoding: key, as: UTF8.self) {
            case "layer_id": return "\(name) in a layer is ignored: call it \"id\""
            case "layer_type": return "\(name) in a layer is ignored: call it \"type\""
            case "depth_index": return "\(name) in a layer is ignored: call it \"depth\""
            case "activation_shape": return "\(name) in a layer is ignored: call it \"shape\""
            case "name": return "\(name) in a layer is ignored: call it \"id\""
            default: break
            }
            if value == .other { return "\(name) in a layer is ignored: a layer has no such field" }
            return "\(name) in a layer is ignored: put it under \"metrics\""
        }
    }

    /// Warns of a `time` that is not finite.
    mutating func timeIsNotFinite() {
        add(.time) { "\"time\" is not finite: the server's clock was used instead" }
    }

    /// Warns of a histogram by exponent that has another number of counts than `count`.
    mutating func histogram(_ name: [UInt8], expected count: Int) {
        add(.histogram(name: name)) {
            "\(Self.quoted(name)) under \"vectors\" does not have \(count) counts, as a histogram by exponent has: "
                + "it is stored, but not understood as one"
        }
    }

    /// Adds warnings of the store, each text once.
    package mutating func add(_ texts: [String]) {
        for text in texts where !isFull && !self.texts.contains(text) { self.texts.append(text) }
    }

    private mutating func add(_ subject: Subject, _ text: () -> String) {
        guard !isFull, !subjects.contains(subject) else { return }
        subjects.append(subject)
        let text = text()
        if !texts.contains(text) { texts.append(text) }
    }

    private static func quoted(_ key: [UInt8]) -> String { "\"\(PayloadIssue.Location.text(ofKey: key[...]))\"" }

    /// Where the fields of other objects belong.
    private static func advice(for key: [UInt8]) -> String? {
        switch String(decoding: key, as: UTF8.self) {
        case "metadata", "layer_statistics", "cross_layer_analysis":
            "it is a field of POST /api/v1/metrics/layerwise"
        case "run_id", "run": "the run is named in the address"
        case "global_step": "call it \"step\""
        case "timestamp": "call it \"time\""
        case "project", "name", "group", "tags", "notes", "config", "state", "exit_code", "reason", "resume_from":
            "put it into PUT /api/v2/runs/{run}"
        default: nil
        }
    }
}
