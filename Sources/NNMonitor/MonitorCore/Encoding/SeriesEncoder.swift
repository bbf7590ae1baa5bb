/// Encodes series as JSON (SCHEMA.md, "Series").
package enum SeriesEncoder {
    /// Appends whole numbers, separated by commas.
    package static func append(_ steps: ArraySlice<Int64>, to writer: inout JSONWriter) {
        var isFirst = true
        for step in steps {
            if !isFirst { writer.byte(UInt8(ascii: ",")) }
            isFirst = false
            writer.integer(step)
        }
    }

    /// Appends one part of a row as a list.
    ///
    /// - Parameters:
    ///   - part: the part, which the block must have.
    ///   - row: the row.
    ///   - block: the buckets.
    ///   - isCounted: whether the number of non-finite values is 0, not `null`, where nothing was posted.
    ///   - writer: receives the list.
    package static func append(
        _ part: SeriesPart, _ row: Int, of block: SeriesBlock, isCounted: Bool = false, to writer: inout JSONWriter
    ) {
        let range = block.indices(row)
        writer.byte(UInt8(ascii: "["))
        switch part {
        case .last: writer.optionalDoubles(block.last[range])
        case .max: writer.finiteDoubles(block.maximum[range])
        case .min: writer.finiteDoubles(block.minimum[range])
        case .nonfinite:
            for index in range {
                if index > range.lowerBound { writer.byte(UInt8(ascii: ",")) }
                if isCounted || !MissingValue.isMissing(block.last[index]) {
                    writer.integer(Int64(block.nonfinite[index]))
                } else {
                    writer.literal("null")
                }
            }
        }
        writer.byte(UInt8(ascii: "]"))
    }
}

/// A part of a bucket by its name on the wire.
package enum SeriesPart: String, CaseIterable, Sendable {
    /// The last value.
    case last
    /// The largest finite value.
    case max
    /// The least finite value.
    case min
    /// The number of values that are not finite.
    case nonfinite

    /// What a block needs for it.
    package var parts: SeriesParts {
        switch self {
        case .last: .last
        case .max: .maximum
        case .min: .minimum
        case .nonfinite: .nonfinite
        }
    }
}

extension JSONWriter {
    /// Writes numbers, separated by commas; `null` for those that are not finite.
    fileprivate mutating func finiteDoubles(_ values: ArraySlice<Double>) {
        reserving(values.count * (ByteCursor.doubleRoom + 1)) { cursor in
            var isFirst = true
            for value in values {
                if !isFirst { cursor.byte(UInt8(ascii: ",")) }
                isFirst = false
                if value.isFinite { cursor.double(value) } else { cursor.literal("null") }
            }
        }
    }
}
