package import Foundations

/// What a step of the open wire is served with.
package struct OpenStepForm: Sendable, Hashable {
    /// The names of the metrics and vectors; `nil` for all. Scalars are always served.
    package var metrics: Set<ByteString>?
    /// Which layers are served; `nil` for all.
    package var layers: [IDPattern]?
    /// Whether the identifier of the structure replaces the layers' attributes.
    package var isStructureShared = false

    /// Everything that was posted.
    package static let all = OpenStepForm()

    /// - Parameters:
    ///   - metrics: the names of the metrics and vectors; `nil` for all.
    ///   - layers: which layers are served; `nil` for all.
    ///   - isStructureShared: whether the identifier of the structure replaces the layers' attributes.
    package init(metrics: Set<ByteString>? = nil, layers: [IDPattern]? = nil, isStructureShared: Bool = false) {
        self.metrics = metrics
        self.layers = layers
        self.isStructureShared = isStructureShared
    }
}

/// Encodes steps as the open wire posts them (SCHEMA.md, "Step of the open wire").
///
/// It remembers which columns and layers of the last tables are selected: consecutive steps usually share their tables.
package struct OpenStepEncoder: Sendable {
    private let form: OpenStepForm
    private var columns: ColumnTable?
    /// The selected metrics and vectors of `columns`.
    private var metrics: [Int] = []
    private var vectors: Set<Int>?
    private var table: LayerTable?
    /// The selected layers of `table`; `nil` for all.
    private var layers: [Int]?

    /// - Parameter form: what the steps are served with.
    package init(form: OpenStepForm = .all) { self.form = form }

    /// Appends one step object.
    package mutating func append(_ record: StepRecord, to writer: inout JSONWriter) {
        select(record)
        writer.literal("{\"step\":")
        writer.integer(record.step)
        writer.literal(",\"time\":")
        writer.double(record.timestamp)
        writer.literal(",\"seq\":")
        writer.integer(Int64(record.seq))
        if record.batchSize > 0 {
            writer.literal(",\"batch_size\":")
            writer.integer(record.batchSize)
        }
        Self.appendScalars(record, to: &writer)
        if record.layerCount > 0 {
            if form.isStructureShared {
                writer.literal(",\"structure\":")
                writer.string(record.structure.text)
            } else {
                writer.literal(",\"layers\":")
                LayerListEncoder.append(record, layers: layers, to: &writer)
            }
            appendMetrics(record, to: &writer)
        }
        appendVectors(record, to: &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    private mutating func select(_ record: StepRecord) {
        if columns !== record.columns {
            columns = record.columns
            let layout = record.columns.layout
            let all = 0..<layout.metricCount
            metrics =
                form.metrics.map { names in
                    all.filter { names.contains(ByteString(decoding: Array(layout.metricName($0)))) }
                } ?? Array(all)
            vectors = form.metrics.map { names in
                Set(
                    (0..<layout.vectorCount).filter {
                        names.contains(ByteString(decoding: Array(layout.vectorName($0))))
                    })
            }
        }
        if let patterns = form.layers, table !== record.table {
            table = record.table
            layers = (0..<record.layerCount).filter { layer in
                patterns.contains { $0.matches(record.table.layout.idBytes(layer)) }
            }
        }
    }

    private static func appendScalars(_ record: StepRecord, to writer: inout JSONWriter) {
        let columns = record.columns
        guard columns.layout.scalarCount > 0 else { return }
        writer.literal(",\"scalars\":{")
        for scalar in 0..<columns.layout.scalarCount {
            if scalar > 0 { writer.byte(UInt8(ascii: ",")) }
            if scalar < columns.layout.ratioCount {
                // The stored JSON is `"KEY":`, without the prefix of the name.
                writer.literal("\"gradient_norm_ratio/")
                writer.raw(columns.scalarKeys[scalar].dropFirst())
            } else {
                writer.raw(columns.scalarKeys[scalar])
            }
            writer.double(record.scalar(scalar))
        }
        writer.byte(UInt8(ascii: "}"))
    }

    private func appendMetrics(_ record: StepRecord, to writer: inout JSONWriter) {
        guard !metrics.isEmpty else { return }
        let count = record.layerCount
        let numbers = record.numbers
        writer.literal(",\"metrics\":{")
        var isFirst = true
        for metric in metrics {
            // A v1 step has a column for each metric of v1, also where nothing was posted.
            let column = metric * count..<metric * count + count
            if record.columns.layout.isV1, numbers[column].allSatisfy(MissingValue.isMissing) { continue }
            if !isFirst { writer.byte(UInt8(ascii: ",")) }
            isFirst = false
            writer.raw(record.columns.metricKeys[metric])
            writer.byte(UInt8(ascii: "["))
            if let layers {
                for (index, layer) in layers.enumerated() {
                    if index > 0 { writer.byte(UInt8(ascii: ",")) }
                    writer.optionalDouble(numbers[column.lowerBound + layer])
                }
            } else {
                writer.optionalDoubles(numbers[column])
            }
            writer.byte(UInt8(ascii: "]"))
        }
        writer.byte(UInt8(ascii: "}"))
    }

    private func appendVectors(_ record: StepRecord, to writer: inout JSONWriter) {
        let layout = record.columns.layout
        guard layout.vectorCount > 0 else { return }
        var name: ArraySlice<UInt8>?
        for (vector, values) in record.vectors.enumerated() where isServed(vector, layout) {
            let next = layout.vectorName(vector)
            if name == next {
                writer.byte(UInt8(ascii: ","))
            } else {
                writer.literal(name == nil ? ",\"vectors\":{" : "},")
                writer.string(next)
                writer.literal(":{")
                name = next
            }
            writer.string(layout.vectorLayer(vector))
            writer.literal(":[")
            writer.optionalDoubles(values)
            writer.byte(UInt8(ascii: "]"))
        }
        if name != nil { writer.literal("}}") }
    }

    private func isServed(_ vector: Int, _ layout: ColumnLayout) -> Bool {
        if let vectors, !vectors.contains(vector) { return false }
        guard let patterns = form.layers else { return true }
        return patterns.contains { $0.matches(layout.vectorLayer(vector)) }
    }
}

/// Encodes the attributes of layers as the open wire posts them: a list of objects.
package enum LayerListEncoder {
    /// Appends the layers of a step.
    ///
    /// - Parameters:
    ///   - record: the step.
    ///   - layers: the indices of the layers; `nil` for all.
    ///   - writer: receives the list.
    package static func append(_ record: StepRecord, layers: [Int]? = nil, to writer: inout JSONWriter) {
        writer.byte(UInt8(ascii: "["))
        for (index, layer) in (layers ?? Array(0..<record.layerCount)).enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            append(record.table, record.shapes, layer, earlier: .none, to: &writer)
        }
        writer.byte(UInt8(ascii: "]"))
    }

    /// Appends the layers of a run, each with the attributes that were posted last.
    static func append(_ structure: RunStructure, _ names: RunNames, to writer: inout JSONWriter) {
        writer.byte(UInt8(ascii: "["))
        if let table = structure.table, let shapes = structure.shapes {
            for layer in 0..<table.layout.layerCount {
                if layer > 0 { writer.byte(UInt8(ascii: ",")) }
                append(table, shapes, layer, earlier: structure.earlier(layer, names), to: &writer)
            }
        }
        writer.byte(UInt8(ascii: "]"))
    }

    private static func append(
        _ table: LayerTable, _ shapes: ShapeTable, _ layer: Int, earlier: LayerAttributes, to writer: inout JSONWriter
    ) {
        let layout = table.layout
        writer.literal("{\"id\":")
        writer.string(layout.idBytes(layer))
        if let type = layout.typeBytes(layer) ?? earlier.type?[...] {
            writer.literal(",\"type\":")
            writer.string(type)
        }
        if let depth = layout.depth(layer) ?? earlier.depth {
            writer.literal(",\"depth\":")
            writer.integer(depth)
        }
        if let shape = shapes.shapes[layer] == nil ? earlier.shape?[...] : shapes.fragments[layer] {
            writer.literal(",\"shape\":")
            writer.raw(shape)
        }
        if let parameters = layout.parameterCount(layer) ?? earlier.parameterCount {
            writer.literal(",\"parameters\":")
            writer.integer(parameters)
        }
        if let isTrainable = layout.isTrainable(layer) ?? earlier.isTrainable {
            writer.literal(",\"trainable\":")
            writer.literal(isTrainable ? "true" : "false")
        }
        let posted = table.layerGroups?[layer]
        if let group = posted?.isEmpty == false ? posted : earlier.group?[...] {
            writer.literal(",\"group\":")
            writer.raw(group)
        }
        writer.byte(UInt8(ascii: "}"))
    }
}
