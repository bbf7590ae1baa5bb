/// Encodes steps in the long form `step,time,layer,metric,value`: a line for each number (RFC 4180).
///
/// Scalars have an empty layer. Numbers that were not posted and vectors are left out.
package enum CSVEncoder {
    /// The first line.
    package static let header: StaticString = "step,time,layer,metric,value\r\n"

    /// Appends the lines of a step.
    package static func append(_ record: StepRecord, to writer: inout JSONWriter) {
        var start = JSONWriter()
        start.integer(record.step)
        start.byte(UInt8(ascii: ","))
        start.plainDouble(record.timestamp)
        start.byte(UInt8(ascii: ","))
        let layout = record.columns.layout
        func line(_ layer: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>, _ value: Double) {
            writer.raw(start.bytes)
            field(layer, to: &writer)
            writer.byte(UInt8(ascii: ","))
            field(name, to: &writer)
            writer.byte(UInt8(ascii: ","))
            writer.plainDouble(value)
            writer.literal("\r\n")
        }
        for scalar in 0..<layout.scalarCount { line([], layout.scalarName(scalar), record.scalar(scalar)) }
        for layer in 0..<record.layerCount {
            for column in 0..<layout.metricCount {
                let value = record.value(column: column, layer: layer)
                if !MissingValue.isMissing(value) {
                    line(record.table.layout.idBytes(layer), layout.metricName(column), value)
                }
            }
        }
    }

    /// Writes a field, in quotes if it needs them.
    private static func field(_ text: ArraySlice<UInt8>, to writer: inout JSONWriter) {
        let special: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0D, 0x0A]
        guard text.contains(where: special.contains) else { return writer.raw(text) }
        writer.byte(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { writer.byte(byte) }
            writer.byte(byte)
        }
        writer.byte(UInt8(ascii: "\""))
    }
}
