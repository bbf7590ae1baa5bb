package import Foundations

/// The series of a run that a reader asks for.
package struct SeriesRequest: Sendable {
    /// The lowest step number.
    package var from: Int64 = 0
    /// The highest step number.
    package var to: Int64 = .max
    /// The largest number of buckets, at least 1.
    package var points = 500
    /// Names of layer metrics, distinct, in the order of the answer.
    package var metrics: [ByteString] = []
    /// Which layers; `nil` for all.
    package var layers: [IDPattern]?
    /// Names of scalars, distinct, in the order of the answer.
    package var scalars: [ByteString] = []

    /// No series of all steps.
    package init() {}

    /// Whether the series of a layer belong to the request.
    func includes(_ layer: ArraySlice<UInt8>) -> Bool { layers.map { $0.contains { $0.matches(layer) } } ?? true }
}

/// A layer of an answer.
package struct SeriesLayer: Sendable {
    /// The bytes of its id as it is served.
    package let id: [UInt8]
    /// Its depth that was posted last; its position if none was posted.
    package let depth: Int64
    /// The number of its parameters as it was posted last; `nil` if it was not posted.
    package let parameterCount: Int64?
}

/// A series: a metric of a layer, or a scalar.
package struct SeriesRow: Sendable {
    /// The index of its layer in `SeriesPlan.layers`; `nil` for a scalar.
    package let layer: Int?
    /// The name of the metric or scalar.
    package let name: ByteString
}

/// The parts of a bucket.
package struct SeriesParts: OptionSet, Sendable {
    /// One bit for each part.
    package let rawValue: UInt8
    /// - Parameter rawValue: one bit for each part.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The least finite value.
    package static let minimum = SeriesParts(rawValue: 1)
    /// The largest finite value.
    package static let maximum = SeriesParts(rawValue: 2)
    /// The number of values that are not finite.
    package static let nonfinite = SeriesParts(rawValue: 4)
    /// All, with the last value, which a block always has.
    package static let all: SeriesParts = [.minimum, .maximum, .nonfinite]
    /// The last value alone.
    package static let last: SeriesParts = []
}

/// The buckets of some series: row by row, the buckets of a row in ascending order.
///
/// A part that was not asked for is an empty array.
package struct SeriesBlock: Sendable {
    /// Which rows of `SeriesPlan.rows`.
    package private(set) var rows: Range<Int>
    /// The number of buckets of a row.
    package private(set) var bucketCount: Int
    /// The last value of the highest step that posted one; `MissingValue.number` where nothing was posted.
    package internal(set) var last: [Double]
    /// The least finite value; infinity where there is none.
    package internal(set) var minimum: [Double] = []
    /// The largest finite value; -infinity where there is none.
    package internal(set) var maximum: [Double] = []
    /// The number of values that are not finite.
    package internal(set) var nonfinite: [UInt32] = []

    init(rows: Range<Int>, bucketCount: Int, parts: SeriesParts) {
        self.init()
        begin(rows, bucketCount: bucketCount, parts)
    }

    /// A block without rows, whose memory can be used again: fresh memory costs page faults.
    package init() {
        rows = 0..<0
        bucketCount = 0
        last = []
    }

    /// Begins with other rows, and keeps the memory.
    mutating func begin(_ rows: Range<Int>, bucketCount: Int, _ parts: SeriesParts) {
        self.rows = rows
        self.bucketCount = bucketCount
        let count = rows.count * bucketCount
        Self.fill(&last, with: MissingValue.number, count)
        Self.fill(&minimum, with: .infinity, parts.contains(.minimum) ? count : 0)
        Self.fill(&maximum, with: -.infinity, parts.contains(.maximum) ? count : 0)
        Self.fill(&nonfinite, with: 0, parts.contains(.nonfinite) ? count : 0)
    }

    private static func fill<Number>(_ numbers: inout [Number], with value: Number, _ count: Int) {
        numbers.removeAll(keepingCapacity: true)
        numbers.append(contentsOf: repeatElement(value, count: count))
    }

    /// The index of a bucket of a row in the arrays.
    package func index(row: Int, bucket: Int) -> Int { (row - rows.lowerBound) * bucketCount + bucket }
}
