import Foundation
import Foundations
import MonitorCore

/// Compares the decoder of the open wire with Foundation, and with itself.
///
/// Foundation parses every accepted step to equal numbers. A step is the same whatever tables of an earlier step the
/// decoder knows, and the same again when it is posted as it is served. A rejection is well-formed.
final class OpenDecoderTarget: FuzzTarget {
    private let decoder = OpenStepDecoder(clock: { UTCTime(microseconds: 1_000_000) })
    /// The tables of an earlier input, which differs from the next one in some places.
    private var earlier = KnownTables()

    init() {}

    func run(_ input: [UInt8]) {
        guard let step = decode(input, KnownTables()) else {
            require(decode(input, earlier) == nil, "a step is rejected whatever tables are known")
            return
        }
        let served = Self.served(step)
        var known = KnownTables()
        known.note(StepRecord(step))
        // The second step with the same layers keeps their text, and the third is recognised by it.
        for round in 0..<3 {
            guard let again = decode(input, round == 0 ? earlier : known) else {
                fatalError("a step is accepted whatever tables are known")
            }
            require(Self.served(again) == served, "a step is the same whatever tables are known")
            if round > 0 { known.note(StepRecord(again)) }
        }
        earlier = known
        guard let posted = decode(served, known) else { fatalError("a step can be posted as it is served") }
        require(Self.served(posted) == served, "a step that is posted as it is served is the same")
        compare(StepRecord(step), served, input)
    }

    private func decode(_ input: [UInt8], _ known: KnownTables) -> DecodedStep? {
        var warnings = StepWarnings()
        switch decoder.decode(input, runID: "r", known: known, warnings: &warnings) {
        case .success(let step):
            require(warnings.texts.count <= 10, "there are at most ten warnings")
            require(
                Set(warnings.texts.map { Array($0.utf8) }).count == warnings.texts.count, "each warning is there once")
            return step
        case .failure(let rejection):
            require((1...101).contains(rejection.issues.count), "a rejection has 1 to 101 issues")
            require(FoundationJSON.read(rejection.body()) != nil, "a rejection is JSON")
            require(warnings.texts.isEmpty, "a rejected step leaves no warnings")
            return nil
        }
    }

    /// The step as the open wire serves it; checks that v1's form is JSON too.
    private static func served(_ step: DecodedStep) -> [UInt8] {
        let record = StepRecord(step)
        let columns = record.columns.layout
        let values = (0..<columns.vectorCount).reduce(0) { $0 + columns.vectorLength($1) }
        require(
            record.numbers.count == columns.metricCount * record.layerCount + columns.scalarCount + values,
            "the array of numbers has a place for each number")
        for form in [StepForm.full, .lite] {
            var writer = JSONWriter()
            StepEncoder.append(record, form: form, to: &writer)
            require(FoundationJSON.read(writer.bytes) != nil, "Foundation reads what the encoder writes")
        }
        var writer = JSONWriter()
        var encoder = OpenStepEncoder()
        encoder.append(record, to: &writer)
        return writer.bytes
    }

    /// Compares what was posted with what is served.
    private func compare(_ record: StepRecord, _ served: [UInt8], _ input: [UInt8]) {
        guard let read = FoundationJSON.read(served) else { fatalError("Foundation reads what the encoder writes") }
        let text = input.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(input.dropFirst(3)) : input
        guard let posted = FoundationJSON.read(text) else {
            return require(Exceptions.apply(to: text), "Foundation reads what the decoder accepts")
        }
        guard !FoundationJSON.hasDuplicateKeys(text) else { return }
        require(FoundationJSON.number(posted, "step") == Double(record.step), "the same step")
        if let time = FoundationJSON.number(posted, "time") { require(time == record.timestamp, "the same time") }
        Self.same(Self.withoutNulls(posted, "scalars"), Self.withoutNulls(read, "scalars"), "scalars")
        let layers = Self.layers(posted)
        Self.same(layers, Self.layers(read), "layers")
        // A column without layers is empty, and not served.
        if !layers.isEmpty {
            Self.same(Self.withoutNulls(posted, "metrics"), Self.withoutNulls(read, "metrics"), "metrics")
        }
        Self.same(Self.vectors(posted), Self.vectors(read), "vectors")
    }

    private static func same(_ posted: Any, _ served: Any, _ name: String) {
        // `description` has all digits of a double. Keys are sorted.
        let (posted, served) = (Self.canonical(posted), Self.canonical(served))
        require(posted == served, "\(name): posted \(posted), served \(served)")
    }

    private static func canonical(_ value: Any) -> String {
        switch value {
        case let object as [String: Any]:
            "{"
                + object.map { (Array($0.key.utf8), $0.value) }
                .sorted { $0.0.lexicographicallyPrecedes($1.0) }
                .map { "\($0.0):\(canonical($0.1))" }.joined(separator: ",") + "}"
        case let list as [Any]: "[" + list.map(canonical).joined(separator: ",") + "]"
        case let number as Double: number == 0 ? "0" : "\(number)"
        case let text as String: "\(Array(text.utf8))"
        default: "\(value)"
        }
    }

    private static func withoutNulls(_ value: Any?, _ key: String) -> [String: Any] {
        (FoundationJSON.value(value, key) as? [String: Any] ?? [:]).filter { !($0.value is NSNull) }
    }

    /// The layers as objects, with ids as they are served and without nulls.
    private static func layers(_ value: Any?) -> [[String: Any]] {
        let names: Set = ["id", "type", "depth", "shape", "parameters", "trainable", "group"]
        return (FoundationJSON.value(value, "layers") as? [Any] ?? []).map { layer in
            var layer = layer as? [String: Any] ?? ["id": layer]
            layer = layer.filter { names.contains($0.key) && !($0.value is NSNull) }
            if let id = layer["id"] as? String { layer["id"] = id.replacing(".", with: "/") }
            return layer
        }
    }

    /// The vectors, with ids as they are served and without names that have none.
    private static func vectors(_ value: Any?) -> [String: Any] {
        withoutNulls(value, "vectors").compactMapValues { layers in
            let layers = (layers as? [String: Any] ?? [:]).filter { !($0.value is NSNull) }
            guard !layers.isEmpty else { return nil }
            return Dictionary(layers.map { ($0.key.replacing(".", with: "/"), $0.value) }) { first, _ in first }
        }
    }
}
