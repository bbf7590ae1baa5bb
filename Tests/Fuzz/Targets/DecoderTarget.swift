import Foundation
import MonitorCore
import Foundations

/// Compares the metrics decoder with Foundation.
///
/// Foundation parses every accepted payload to equal numbers, and the encoding of an accepted step contains the same
/// numbers. A rejection is well-formed.
final class DecoderTarget: FuzzTarget {
    init() {}

    func run(_ input: [UInt8]) {
        switch StepDecoder.decode(input) {
        case .success(let step): accepted(step, input)
        case .failure(let rejection): rejected(rejection, input)
        }
    }

    private func accepted(_ step: DecodedStep, _ input: [UInt8]) {
        let record = StepRecord(step)
        require(record.layerCount > 0, "an accepted step has layers")
        let places = record.layerCount * LayerMetric.count + step.columns.scalarCount
        require(record.numbers.count == places, "the array of numbers has a place for each number")
        let served = Self.served(record, .full)
        compareServed(record, served.value, in: served.text)
        _ = Self.served(record, .lite)
        let text = Self.withoutMark(input)
        guard let posted = FoundationJSON.read(text) else {
            require(Exceptions.apply(to: text), "Foundation reads what the decoder accepts")
            return
        }
        guard !FoundationJSON.hasDuplicateKeys(text) else { return }
        comparePosted(step, record, posted, in: text)
        let groups = Groups(FoundationJSON.value(posted, "metadata", "layer_groups"), slashes: true)
        require(groups == Groups(FoundationJSON.value(served.value, "layer_groups")), "the groups that were posted")
    }

    /// The encoded step, and Foundation's value of it.
    private static func served(_ record: StepRecord, _ form: StepForm) -> (text: [UInt8], value: Any) {
        var writer = JSONWriter()
        StepEncoder.append(record, form: form, to: &writer)
        guard let value = FoundationJSON.read(writer.bytes) else {
            fatalError("Foundation reads what the encoder writes")
        }
        return (writer.bytes, value)
    }

    /// Compares the posted payload, as parsed by Foundation, with the record.
    private func comparePosted(_ step: DecodedStep, _ record: StepRecord, _ posted: Any, in text: [UInt8]) {
        require(FoundationJSON.text(posted, "metadata", "run_id") == step.runID.text, "the same run id")
        same(FoundationJSON.number(posted, "metadata", "timestamp"), step.timestamp, "timestamp")
        same(FoundationJSON.number(posted, "metadata", "global_step"), Double(step.step), "global_step")
        same(FoundationJSON.number(posted, "metadata", "batch_size"), Double(step.batchSize), "batch_size")
        for layer in 0..<record.layerCount {
            let object = FoundationJSON.value(posted, "layer_statistics", layer)
            let id = FoundationJSON.text(object, "layer_id").map { slashed($0) }
            compare(record, layer, object, id: id)
        }
        // The ratios are optional.
        let ratios = FoundationJSON.value(posted, "cross_layer_analysis", "gradient_norm_ratio")
        compareRatios(record, ratios ?? [String: Any](), in: text)
        same(
            FoundationJSON.number(posted, "cross_layer_analysis", "feature_std_gradient"),
            record.numbers[record.numbers.count - 1], "feature_std_gradient")
    }

    /// Compares the encoded step, as parsed by Foundation, with the record.
    private func compareServed(_ record: StepRecord, _ served: Any, in text: [UInt8]) {
        same(FoundationJSON.number(served, "timestamp"), record.timestamp, "timestamp")
        same(FoundationJSON.number(served, "step"), Double(record.step), "step")
        same(FoundationJSON.number(served, "batch_size"), Double(record.batchSize), "batch_size")
        for layer in 0..<record.layerCount {
            let object = FoundationJSON.value(served, "layers", layer)
            compare(record, layer, object, id: FoundationJSON.text(object, "layer_id").map { Array($0.utf8) })
        }
        same(
            FoundationJSON.number(served, "cross_layer", "feature_std_gradient"),
            record.numbers[record.numbers.count - 1], "feature_std_gradient")
        compareRatios(record, FoundationJSON.value(served, "cross_layer", "gradient_norm_ratio"), in: text)
    }

    /// Compares one layer.
    ///
    /// - Parameters:
    ///   - record: the stored step.
    ///   - layer: the index of the layer.
    ///   - object: the layer as parsed by Foundation.
    ///   - id: the id in `object`, as it is served.
    private func compare(_ record: StepRecord, _ layer: Int, _ object: Any?, id: [UInt8]?) {
        // Compared as bytes, because `==` on `String` is canonical equivalence.
        require(id == Array(record.table.layerID(layer).utf8), "the same layer id")
        let type = FoundationJSON.text(object, "layer_type")
        require(type.map { Array($0.utf8) } == Array(record.table.layerType(layer).utf8), "the same layer type")
        same(FoundationJSON.number(object, "depth_index"), Double(record.table.layout.depths[layer]), "depth_index")
        let shape = FoundationJSON.value(object, "intermediate_features", "activation_shape") as? [Any]
        require(
            shape?.map { $0 as? Double } == record.shapes.shapes[layer]?.map { Double($0) },
            "activation_shape: Foundation reads \(shape ?? []), we \(record.shapes.shapes[layer] ?? [])")
        for metric in LayerMetric.all {
            let path = metric.path.map { "\($0)" }
            let value = record.value(metric, layer: layer)
            let read = path.reduce(object) { FoundationJSON.value($0, $1) }
            if MissingValue.isMissing(value) {
                require(read == nil || read is NSNull, "\(path) was not posted")
            } else {
                same(read as? Double, value, "\(path)")
            }
        }
    }

    /// Compares the ratios. Foundation merges keys that are canonically equivalent, so it may have fewer.
    private func compareRatios(_ record: StepRecord, _ read: Any?, in text: [UInt8]) {
        guard let ratios = read as? [String: Any] else { fatalError("gradient_norm_ratio is an object") }
        let columns = record.columns
        guard ratios.count == columns.ratios.count else {
            require(FoundationJSON.hasDuplicateKeys(text), "the ratios that were posted, no more and no fewer")
            return
        }
        for scalar in columns.ratios {
            let key = String(decoding: columns.layout.scalarKey(scalar), as: UTF8.self)
            same(ratios[key] as? Double, record.scalar(scalar), "gradient_norm_ratio of \(key)")
        }
    }

    private func same(_ read: Double?, _ value: Double, _ name: String) {
        require(read == value, "\(name): Foundation reads \(String(describing: read)), we \(value)")
    }

    private func rejected(_ rejection: RejectedPayload, _ input: [UInt8]) {
        require((1...101).contains(rejection.issues.count), "a rejection has 1 to 101 issues")
        require(FoundationJSON.read(rejection.body()) != nil, "a rejection is JSON")
        guard case .invalidJSON(let problem)? = rejection.issues.first?.kind else { return }
        require(rejection.issues.count == 1, "broken JSON is one issue")
        // Foundation is no oracle for syntax errors: it accepts numbers with two exponents.
        if problem.hasPrefix("invalid UTF-8") {
            let text = Self.withoutMark(input)
            require(String(validating: text, as: UTF8.self) == nil, "what is refused as invalid UTF-8 is UTF-8")
        }
    }

    private static func withoutMark(_ input: [UInt8]) -> [UInt8] {
        input.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(input.dropFirst(3)) : input
    }
}

/// `layer_groups` as parsed by Foundation. Null, absent and empty are equal.
private struct Groups: Equatable {
    private let members: [String: [[UInt8]?]?]

    /// Converts the value of `layer_groups`.
    ///
    /// - Parameters:
    ///   - read: the value as parsed by Foundation.
    ///   - slashes: whether to replace `.` with `/`, as the server does.
    init(_ read: Any?, slashes: Bool = false) {
        members = (read as? [String: Any] ?? [:]).mapValues { list in
            (list as? [Any])?.map { member in
                (member as? String).map { slashes ? slashed($0) : Array($0.utf8) }
            }
        }
    }
}

/// A name as it is served: with `/` for each `.`.
private func slashed(_ name: String) -> [UInt8] {
    name.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "/") : $0 }
}

/// Reasons why the decoder may accept a text that Foundation rejects: in ignored values it accepts more than JSON.
enum Exceptions {
    static func apply(to text: [UInt8]) -> Bool {
        let string = String(decoding: text, as: UTF8.self)
        // Python's tokens for non-finite numbers, and lone surrogates.
        for word in ["NaN", "Infinity", "\\ud", "\\uD"] where string.contains(word) { return true }
        // Numbers that overflow or underflow a double.
        let numbers = string.split { !("0123456789+-.eE".contains($0)) }
        return numbers.contains { number in
            guard let value = Double(number) else { return false }
            return value.isInfinite || value == 0 && number.contains { $0 == "e" || $0 == "E" }
        }
    }
}
