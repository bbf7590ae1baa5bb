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
        if record.batchSize > 0 { writer.integer(record.batchSize) } else { writer.literal("null") }
        writer.literal(",\"layers\":[")
        if record.columns.layout.isV1 {
            appendLayers(record, form, to: &writer)
        } else {
            appendOpenLayers(record, form, to: &writer)
        }
        writer.literal("],\"cross_layer\":")
        appendCrossLayer(record, to: &writer)
        writer.literal(",\"layer_groups\":")
        writer.raw(record.table.groups)
        appendOtherScalars(record, to: &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    private static func appendCrossLayer(_ record: StepRecord, to writer: inout JSONWriter) {
        let columns = record.columns
        if columns.featureStdGradient == nil, columns.ratios.isEmpty { return writer.literal("null") }
        writer.literal("{\"feature_std_gradient\":")
        if let scalar = columns.featureStdGradient {
            writer.double(record.scalar(scalar))
        } else {
            writer.literal("null")
        }
        writer.literal(",\"gradient_norm_ratio\":{")
        for (index, scalar) in columns.ratios.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.raw(columns.scalarKeys[scalar])
            writer.double(record.scalar(scalar))
        }
        writer.literal("}}")
    }

    /// Appends the scalars that v1 does not have, as a last key of the step, if there are any.
    private static func appendOtherScalars(_ record: StepRecord, to writer: inout JSONWriter) {
        var isEmpty = true
        for scalar in record.columns.otherScalars {
            writer.literal(isEmpty ? ",\"scalars\":{" : ",")
            isEmpty = false
            writer.raw(record.columns.scalarKeys[scalar])
            writer.double(record.scalar(scalar))
        }
        if !isEmpty { writer.byte(UInt8(ascii: "}")) }
    }

    // MARK: Layers

    /// Appends the layers of a step that v1 posted.
    private static func appendLayers(_ record: StepRecord, _ form: StepForm, to writer: inout JSONWriter) {
        // Hoisted: reading these properties in the loop would retain and release them for every layer.
        let format = form == .full ? LayerFormat.full : LayerFormat.lite
        let heads = record.table.heads
        let shapes = record.shapes.fragments
        let numbers = record.numbers
        let layers = record.layerCount
        let room = format.maximumSize + 1
        for layer in 0..<layers {
            writer.reserving(room + heads.size(layer) + shapes.size(layer)) { cursor in
                if layer > 0 { cursor.byte(UInt8(ascii: ",")) }
                heads.write(layer, to: &cursor)
                format.write(
                    numbers, layer: layer, of: layers, shape: { shapes.write(layer, to: &$0) }, to: &cursor)
            }
        }
    }

    /// The size of most numbers in bytes, with all their digits.
    private static let averageNumber = 20

    /// Estimates the JSON size of a step in bytes, to reserve memory once.
    package static func estimatedSize(_ record: StepRecord) -> Int {
        512 + record.table.heads.bytes.count + record.shapes.fragments.bytes.count
            + record.layerCount * LayerFormat.full.textSize + record.numbers.count * averageNumber
            + record.columns.scalarKeys.bytes.count + record.table.groups.count
            + record.layerCount * record.columns.otherColumns.count * 24
    }
}
