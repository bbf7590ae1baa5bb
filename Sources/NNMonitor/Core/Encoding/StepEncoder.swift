/// How much of a step a reader asked for.
package enum StepForm: Sendable, Hashable {
    /// Everything that was posted.
    case full
    /// Per layer only what an overview draws: id, type, depth, activation std and ratio, gradient norm and maximum.
    case lite
}

/// Writes steps as the wire contract has them: the keys, and their order.
package enum StepEncoder {
    /// Appends one STEP object.
    package static func append(_ record: StepRecord, form: StepForm = .full, to writer: inout JSONWriter) {
        writer.literal("{\"step\":")
        writer.integer(record.step)
        writer.literal(",\"timestamp\":")
        writer.double(record.timestamp)
        writer.literal(",\"batch_size\":")
        writer.integer(record.batchSize)
        writer.literal(",\"layers\":[")
        for layer in 0..<record.layerCount {
            if layer > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.raw(record.table.heads[layer])
            switch form {
            case .full: appendLayer(record, layer, to: &writer)
            case .lite: appendLiteLayer(record, layer, to: &writer)
            }
        }
        writer.literal("],\"cross_layer\":{\"feature_std_gradient\":")
        writer.double(record.numbers[record.numbers.count - 1])
        writer.literal(",\"gradient_norm_ratio\":{")
        let firstRatio = record.layerCount * LayerMetric.count
        for index in 0..<record.table.layout.ratioCount {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.raw(record.table.ratioKeys[index])
            writer.double(record.numbers[firstRatio + index])
        }
        writer.literal("}},\"layer_groups\":")
        writer.raw(record.table.groups)
        writer.byte(UInt8(ascii: "}"))
    }

    private static func appendLayer(_ record: StepRecord, _ layer: Int, to writer: inout JSONWriter) {
        writer.literal(",\"intermediate_features\":{\"activation_std\":")
        writer.double(record.value(.activationStd, layer: layer))
        writer.literal(",\"activation_mean\":")
        writer.double(record.value(.activationMean, layer: layer))
        writer.raw(record.shapes.fragments[layer])
        writer.optionalDouble(record.value(.crossLayerStdRatio, layer: layer))
        writer.literal("},\"gradient_flow\":{\"gradient_l2_norm\":")
        writer.double(record.value(.gradientL2Norm, layer: layer))
        writer.literal(",\"gradient_std\":")
        writer.double(record.value(.gradientStd, layer: layer))
        writer.literal(",\"gradient_max_abs\":")
        writer.double(record.value(.gradientMaxAbs, layer: layer))
        writer.literal("},\"parameter_statistics\":{\"weight\":{\"std\":")
        writer.double(record.value(.weightStd, layer: layer))
        writer.literal(",\"mean\":")
        writer.double(record.value(.weightMean, layer: layer))
        writer.literal(",\"spectral_norm\":")
        writer.double(record.value(.weightSpectralNorm, layer: layer))
        writer.literal(",\"frobenius_norm\":")
        writer.double(record.value(.weightFrobeniusNorm, layer: layer))
        let biasStd = record.value(.biasStd, layer: layer)
        guard !Absent.marks(biasStd) else {
            writer.literal("},\"bias\":null}}")
            return
        }
        writer.literal("},\"bias\":{\"std\":")
        writer.double(biasStd)
        writer.literal(",\"mean_abs\":")
        writer.double(record.value(.biasMeanAbs, layer: layer))
        writer.literal("}}}")
    }

    private static func appendLiteLayer(_ record: StepRecord, _ layer: Int, to writer: inout JSONWriter) {
        writer.literal(",\"intermediate_features\":{\"activation_std\":")
        writer.double(record.value(.activationStd, layer: layer))
        writer.literal(",\"cross_layer_std_ratio\":")
        writer.optionalDouble(record.value(.crossLayerStdRatio, layer: layer))
        writer.literal("},\"gradient_flow\":{\"gradient_l2_norm\":")
        writer.double(record.value(.gradientL2Norm, layer: layer))
        writer.literal(",\"gradient_max_abs\":")
        writer.double(record.value(.gradientMaxAbs, layer: layer))
        writer.literal("}}")
    }

    /// An estimate of the JSON bytes of a step, to reserve memory once.
    package static func estimatedSize(_ record: StepRecord) -> Int {
        512 + record.table.heads.bytes.count + record.shapes.fragments.bytes.count + record.layerCount * 620
            + record.table.ratioKeys.bytes.count + record.table.layout.ratioCount * 24 + record.table.groups.count
    }
}
