/// The set of fields that a step is served with.
package enum StepForm: Sendable, Hashable {
    /// All posted fields.
    case full
    /// Per layer only the fields of the dashboard's overview: id, type, depth, activation standard deviation and ratio,
    /// gradient norm and maximum.
    case lite
}

/// Encodes steps with the keys and key order of SCHEMA.md, section "Step".
package enum StepEncoder {
    /// Appends one step object.
    package static func append(_ record: StepRecord, form: StepForm = .full, to writer: inout JSONWriter) {
        writer.literal("{\"step\":")
        writer.integer(record.step)
        writer.literal(",\"timestamp\":")
        writer.double(record.timestamp)
        writer.literal(",\"batch_size\":")
        writer.integer(record.batchSize)
        writer.literal(",\"layers\":[")
        appendLayers(record, form, to: &writer)
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

    // MARK: Layers

    /// The numbers of one layer of a step.
    private struct LayerNumbers {
        let numbers: [Double]
        let first: Int

        @inline(__always)
        subscript(metric: LayerMetric) -> Double { numbers[first &+ metric.rawValue] }
    }

    /// The maximum size of a layer in bytes without its names and shape: keys, punctuation and twelve numbers.
    private static let layerRoom = 512 + LayerMetric.count * ByteCursor.doubleRoom

    private static func appendLayers(_ record: StepRecord, _ form: StepForm, to writer: inout JSONWriter) {
        // Hoisted: reading these properties in the loop would retain and release them for every layer.
        let heads = record.table.heads
        let shapes = record.shapes.fragments
        let numbers = record.numbers
        for layer in 0..<record.layerCount {
            let room = layerRoom + heads.size(layer) + shapes.size(layer)
            writer.reserving(room) { cursor in
                if layer > 0 { cursor.byte(UInt8(ascii: ",")) }
                heads.write(layer, to: &cursor)
                let metrics = LayerNumbers(numbers: numbers, first: layer &* LayerMetric.count)
                switch form {
                case .full: writeLayer(metrics, shapes, layer, to: &cursor)
                case .lite: writeLiteLayer(metrics, to: &cursor)
                }
            }
        }
    }

    @inline(__always)
    private static func writeLayer(
        _ metrics: LayerNumbers, _ shapes: JSONFragments, _ layer: Int, to cursor: inout ByteCursor
    ) {
        cursor.literal(",\"intermediate_features\":{\"activation_std\":")
        cursor.double(metrics[.activationStd])
        cursor.literal(",\"activation_mean\":")
        cursor.double(metrics[.activationMean])
        shapes.write(layer, to: &cursor)
        cursor.optionalDouble(metrics[.crossLayerStdRatio])
        cursor.literal("},\"gradient_flow\":{\"gradient_l2_norm\":")
        cursor.double(metrics[.gradientL2Norm])
        cursor.literal(",\"gradient_std\":")
        cursor.double(metrics[.gradientStd])
        cursor.literal(",\"gradient_max_abs\":")
        cursor.double(metrics[.gradientMaxAbs])
        cursor.literal("},\"parameter_statistics\":{\"weight\":{\"std\":")
        cursor.double(metrics[.weightStd])
        cursor.literal(",\"mean\":")
        cursor.double(metrics[.weightMean])
        cursor.literal(",\"spectral_norm\":")
        cursor.double(metrics[.weightSpectralNorm])
        cursor.literal(",\"frobenius_norm\":")
        cursor.double(metrics[.weightFrobeniusNorm])
        let biasStd = metrics[.biasStd]
        guard !Absent.marks(biasStd) else { return cursor.literal("},\"bias\":null}}") }
        cursor.literal("},\"bias\":{\"std\":")
        cursor.double(biasStd)
        cursor.literal(",\"mean_abs\":")
        cursor.double(metrics[.biasMeanAbs])
        cursor.literal("}}}")
    }

    @inline(__always)
    private static func writeLiteLayer(_ metrics: LayerNumbers, to cursor: inout ByteCursor) {
        cursor.literal(",\"intermediate_features\":{\"activation_std\":")
        cursor.double(metrics[.activationStd])
        cursor.literal(",\"cross_layer_std_ratio\":")
        cursor.optionalDouble(metrics[.crossLayerStdRatio])
        cursor.literal("},\"gradient_flow\":{\"gradient_l2_norm\":")
        cursor.double(metrics[.gradientL2Norm])
        cursor.literal(",\"gradient_max_abs\":")
        cursor.double(metrics[.gradientMaxAbs])
        cursor.literal("}}")
    }

    /// Estimates the JSON size of a step in bytes, to reserve memory once.
    package static func estimatedSize(_ record: StepRecord) -> Int {
        512 + record.table.heads.bytes.count + record.shapes.fragments.bytes.count + record.layerCount * 620
            + record.table.ratioKeys.bytes.count + record.table.layout.ratioCount * 24 + record.table.groups.count
    }
}
