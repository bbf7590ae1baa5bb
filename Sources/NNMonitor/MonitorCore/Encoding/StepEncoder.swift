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

    private static func appendLayers(_ record: StepRecord, _ form: StepForm, to writer: inout JSONWriter) {
        // Hoisted: reading these properties in the loop would retain and release them for every layer.
        let format = form == .full ? LayerFormat.full : LayerFormat.lite
        let heads = record.table.heads
        let shapes = record.shapes.fragments
        let numbers = record.numbers
        let columns = LayerMetric.count
        let room = format.maximumSize + 1
        for layer in 0..<record.layerCount {
            writer.reserving(room + heads.size(layer) + shapes.size(layer)) { cursor in
                if layer > 0 { cursor.byte(UInt8(ascii: ",")) }
                heads.write(layer, to: &cursor)
                format.write(
                    numbers, from: layer &* columns, shape: { shapes.write(layer, to: &$0) }, to: &cursor)
            }
        }
    }

    /// The size of most numbers in bytes, with all their digits.
    private static let averageNumber = 20

    /// Estimates the JSON size of a step in bytes, to reserve memory once.
    package static func estimatedSize(_ record: StepRecord) -> Int {
        let layer = LayerFormat.full.textSize + LayerMetric.count * averageNumber
        return 512 + record.table.heads.bytes.count + record.shapes.fragments.bytes.count + record.layerCount * layer
            + record.table.ratioKeys.bytes.count + record.table.layout.ratioCount * (averageNumber + 4)
            + record.table.groups.count
    }
}
