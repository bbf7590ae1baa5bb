import Foundation
import MonitorCore

/// The metrics decoder, against Foundation's JSON reader: what it accepts, Foundation reads with equal numbers; what it
/// refuses, it refuses with a well-formed answer. What was accepted is encoded, and Foundation reads the same numbers out of
/// that.
final class DecoderTarget: FuzzTarget {
    private static let metrics: [(LayerMetric, [String])] = [
        (.activationStd, ["intermediate_features", "activation_std"]),
        (.activationMean, ["intermediate_features", "activation_mean"]),
        (.crossLayerStdRatio, ["intermediate_features", "cross_layer_std_ratio"]),
        (.gradientL2Norm, ["gradient_flow", "gradient_l2_norm"]),
        (.gradientStd, ["gradient_flow", "gradient_std"]),
        (.gradientMaxAbs, ["gradient_flow", "gradient_max_abs"]),
        (.weightStd, ["parameter_statistics", "weight", "std"]),
        (.weightMean, ["parameter_statistics", "weight", "mean"]),
        (.weightSpectralNorm, ["parameter_statistics", "weight", "spectral_norm"]),
        (.weightFrobeniusNorm, ["parameter_statistics", "weight", "frobenius_norm"]),
        (.biasStd, ["parameter_statistics", "bias", "std"]),
        (.biasMeanAbs, ["parameter_statistics", "bias", "mean_abs"]),
    ]

    init() {}

    func run(_ input: [UInt8]) {
        switch StepDecoder.decode(input) {
        case .success(let step): accepted(step, input)
        case .failure(let rejection): rejected(rejection, input)
        }
    }

    private func accepted(_ step: DecodedStep, _ input: [UInt8]) {
        let record = StepRecord(step, table: LayerTable(step.layout), shapes: ShapeTable(step.shapes))
        require(record.layerCount > 0, "an accepted step has layers")
        let places = record.layerCount * LayerMetric.count + step.layout.ratioCount + 1
        require(record.numbers.count == places, "the array of numbers has a place for each number")
        for form in [StepForm.full, .lite] {
            var writer = JSONWriter()
            StepEncoder.append(record, form: form, to: &writer)
            let served = FoundationJSON.read(writer.bytes)
            require(served != nil, "Foundation reads what the encoder writes")
            if form == .full { compareServed(record, served) }
        }
        let text = Self.withoutMark(input)
        guard let posted = FoundationJSON.read(text) else {
            require(Exceptions.apply(to: text), "Foundation reads what the decoder accepts")
            return
        }
        if !FoundationJSON.hasDuplicateKeys(text) { comparePosted(step, record, posted) }
    }

    /// What the client posted, in Foundation's reading, against the record.
    private func comparePosted(_ step: DecodedStep, _ record: StepRecord, _ posted: Any) {
        require(FoundationJSON.text(posted, "metadata", "run_id") == step.runID, "the same run id")
        same(FoundationJSON.number(posted, "metadata", "timestamp"), step.timestamp, "timestamp")
        same(FoundationJSON.number(posted, "metadata", "global_step"), Double(step.step), "global_step")
        same(FoundationJSON.number(posted, "metadata", "batch_size"), Double(step.batchSize), "batch_size")
        for layer in 0..<record.layerCount {
            let object = FoundationJSON.value(posted, "layer_statistics", layer)
            compare(record, layer, object)
            let id = FoundationJSON.text(object, "layer_id")
            require(id?.replacing(".", with: "/") == record.table.layerID(layer), "the same layer id")
            same(FoundationJSON.number(object, "depth_index"), Double(step.layout.depths[layer]), "depth_index")
        }
        same(
            FoundationJSON.number(posted, "cross_layer_analysis", "feature_std_gradient"),
            record.numbers[record.numbers.count - 1], "feature_std_gradient")
    }

    /// What a reader gets, in Foundation's reading, against the record.
    private func compareServed(_ record: StepRecord, _ served: Any?) {
        same(FoundationJSON.number(served, "timestamp"), record.timestamp, "timestamp")
        same(FoundationJSON.number(served, "step"), Double(record.step), "step")
        for layer in 0..<record.layerCount { compare(record, layer, FoundationJSON.value(served, "layers", layer)) }
        let ratios = FoundationJSON.value(served, "cross_layer", "gradient_norm_ratio") as? [String: Any]
        require((ratios?.count ?? -1) <= record.table.layout.ratioCount, "no ratio that was not posted")
    }

    private func compare(_ record: StepRecord, _ layer: Int, _ object: Any?) {
        for (metric, path) in Self.metrics {
            let value = record.value(metric, layer: layer)
            let read = path.reduce(object) { FoundationJSON.value($0, $1) }
            if Absent.marks(value) {
                require(read == nil || read is NSNull, "\(path) was not posted")
            } else {
                same(read as? Double, value, "\(path)")
            }
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
        // Whether Foundation reads it is no test: it takes numbers with two exponents.
        if problem.hasPrefix("invalid UTF-8") {
            let text = Self.withoutMark(input)
            require(String(validating: text, as: UTF8.self) == nil, "what is refused as invalid UTF-8 is UTF-8")
        }
    }

    private static func withoutMark(_ input: [UInt8]) -> [UInt8] {
        input.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(input.dropFirst(3)) : input
    }
}

/// Why a text may be accepted that Foundation does not read: the contract reads more than JSON in places that it ignores.
private enum Exceptions {
    static func apply(to text: [UInt8]) -> Bool {
        let string = String(decoding: text, as: UTF8.self)
        // Python's words for what JSON has no number for, and half surrogate pairs.
        for word in ["NaN", "Infinity", "\\ud", "\\uD"] where string.contains(word) { return true }
        // Numbers beyond a double, and those that a double has only zero for.
        let numbers = string.split { !("0123456789+-.eE".contains($0)) }
        return numbers.contains { number in
            guard let value = Double(number) else { return false }
            return value.isInfinite || value == 0 && number.contains { $0 == "e" || $0 == "E" }
        }
    }
}
