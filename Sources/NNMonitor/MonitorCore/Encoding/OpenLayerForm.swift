/// The layers of a step that the open wire posted, in v1's nested form.
///
/// A block without posted metrics is null. Metrics that v1 does not have follow in `metrics`.
extension StepEncoder {
    static func appendOpenLayers(_ record: StepRecord, _ form: StepForm, to writer: inout JSONWriter) {
        let fields = form == .full ? Self.allFields : Self.liteFields
        for layer in 0..<record.layerCount {
            if layer > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.raw(record.table.heads[layer])
            let hasWeight = hasValue(.weight, record, layer)
            let hasBias = hasValue(.bias, record, layer)
            append(fields.features, .features, "intermediate_features", record, layer, to: &writer)
            append(fields.gradient, .gradient, "gradient_flow", record, layer, to: &writer)
            if form == .full {
                if hasWeight || hasBias {
                    writer.literal(",\"parameter_statistics\":{\"weight\":")
                    appendBlock(fields.weight, isPresent: hasWeight, record, layer, to: &writer)
                    writer.literal(",\"bias\":")
                    appendBlock(fields.bias, isPresent: hasBias, record, layer, to: &writer)
                    writer.byte(UInt8(ascii: "}"))
                } else {
                    writer.literal(",\"parameter_statistics\":null")
                }
                appendOtherMetrics(record, layer, to: &writer)
            }
            writer.byte(UInt8(ascii: "}"))
        }
    }

    /// The fields of each block.
    private struct Fields: Sendable {
        let features: [LayerField]
        let gradient: [LayerField]
        let weight: [LayerField]
        let bias: [LayerField]

        init(_ table: [LayerField]) {
            features = table.filter { $0.block == .features }
            gradient = table.filter { $0.block == .gradient }
            weight = table.filter { $0.block == .weight }
            bias = table.filter { $0.block == .bias }
        }
    }

    private static let allFields = Fields(LayerField.table)
    private static let liteFields = Fields(LayerField.table.filter { $0.metric?.isLite == true })

    /// Whether anything of a block was posted for a layer. The activation's shape belongs to `features`.
    private static func hasValue(_ block: LayerBlock, _ record: StepRecord, _ layer: Int) -> Bool {
        if block == .features, record.shapes.shapes[layer] != nil { return true }
        return LayerMetric.all.contains {
            $0.block == block && !MissingValue.isMissing(record.value($0, layer: layer))
        }
    }

    private static func append(
        _ fields: [LayerField], _ block: LayerBlock, _ key: StaticString, _ record: StepRecord, _ layer: Int,
        to writer: inout JSONWriter
    ) {
        writer.literal(",\"")
        writer.literal(key)
        writer.literal("\":")
        appendBlock(fields, isPresent: hasValue(block, record, layer), record, layer, to: &writer)
    }

    private static func appendBlock(
        _ fields: [LayerField], isPresent: Bool, _ record: StepRecord, _ layer: Int, to writer: inout JSONWriter
    ) {
        guard isPresent else { return writer.literal("null") }
        for (index, field) in fields.enumerated() {
            writer.literal(index == 0 ? "{\"" : ",\"")
            writer.literal(field.key)
            writer.literal("\":")
            if let metric = field.metric {
                writer.optionalDouble(record.value(metric, layer: layer))
            } else if record.shapes.shapes[layer] != nil {
                writer.raw(record.shapes.fragments[layer])
            } else {
                writer.literal("null")
            }
        }
        writer.byte(UInt8(ascii: "}"))
    }

    private static func appendOtherMetrics(_ record: StepRecord, _ layer: Int, to writer: inout JSONWriter) {
        var isEmpty = true
        for column in record.columns.otherColumns {
            let value = record.value(column: column, layer: layer)
            if MissingValue.isMissing(value) { continue }
            writer.literal(isEmpty ? ",\"metrics\":{" : ",")
            isEmpty = false
            writer.raw(record.columns.metricKeys[column])
            writer.double(value)
        }
        if !isEmpty { writer.byte(UInt8(ascii: "}")) }
    }
}
