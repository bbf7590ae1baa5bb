/// The text of a layer in a served step, generated from `LayerField.table`: constant parts and the values between them.
struct LayerFormat: Sendable {
    /// Constant text, and the number after it.
    private struct Part: Sendable {
        let text: TextFragment
        /// The number's offset within the layer's numbers.
        let column: Int
    }

    /// Consecutive parts, and what follows them.
    private struct Section: Sendable {
        let parts: Range<Int>
        /// The text after the parts.
        let end: TextFragment
        /// Whether the activation's shape follows.
        var hasShape = false
        /// For an optional block, its first column; else -1. A block's metrics are all present or all missing.
        var optionalColumn = -1
        /// For an optional block, the text that replaces the section if the block is missing.
        var null = TextFragment([])
    }

    private var parts: [Part] = []
    private var sections: [Section] = []

    /// All fields.
    static let full = LayerFormat(LayerField.table)
    /// The fields of the lite form.
    static let lite = LayerFormat(LayerField.table.filter { $0.metric?.isLite == true })

    /// The size of the constant text in bytes.
    var textSize: Int { parts.reduce(0) { $0 + $1.text.count } + sections.reduce(0) { $0 + $1.end.count } }

    /// The maximum size of a layer in bytes, without its names and its shape.
    var maximumSize: Int {
        parts.count * (TextFragment.maximum + ByteCursor.doubleRoom) + sections.count * TextFragment.maximum
    }

    /// Generates the text that follows `depth_index` in a layer.
    private init(_ fields: [LayerField]) {
        var text = FragmentBuilder()
        var start = 0
        func section(_ end: TextFragment) -> Section {
            defer { start = parts.count }
            return Section(parts: start..<parts.count, end: end)
        }
        for block in LayerBlock.allCases {
            let fields = fields.filter { $0.block == block }
            if fields.isEmpty { continue }
            let outer = block.path.dropLast()
            var null = text
            if block.isOptional {
                sections.append(section(TextFragment([])))
                null.open(outer)
                null.key(block.path[outer.count])
                null.append("null")
            }
            text.open(block.path)
            for field in fields {
                text.key(field.key)
                if let metric = field.metric {
                    parts.append(Part(text: text.take(), column: metric.column))
                } else {
                    sections.append(section(text.take()))
                    sections[sections.count - 1].hasShape = true
                }
            }
            if block.isOptional {
                text.open(outer)
                sections.append(section(text.take()))
                sections[sections.count - 1].optionalColumn = block.columns.lowerBound
                sections[sections.count - 1].null = null.take()
            }
        }
        text.open([])
        text.append("}")
        sections.append(section(text.take()))
    }

    /// Writes the rest of a layer.
    ///
    /// - Parameters:
    ///   - numbers: the numbers of the step.
    ///   - first: the index of the layer's first number.
    ///   - shape: writes the dimensions of the activation's shape.
    ///   - cursor: has room for `maximumSize` and the shape.
    @inline(__always)
    func write(
        _ numbers: [Double], from first: Int, shape: (inout ByteCursor) -> Void, to cursor: inout ByteCursor
    ) {
        // By index: iterating over values would copy each section, with its texts.
        for index in sections.indices {
            let optional = sections[index].optionalColumn
            if optional >= 0, MissingValue.isMissing(numbers[first &+ optional]) {
                cursor.fragment(sections[index].null)
                continue
            }
            for part in sections[index].parts {
                cursor.number(numbers[first &+ parts[part].column], after: parts[part].text)
            }
            if sections[index].end.count > 0 { cursor.fragment(sections[index].end) }
            if sections[index].hasShape { shape(&cursor) }
        }
    }
}

/// Text that is copied as a whole: padded to a fixed size, so that copying it needs no loop.
struct TextFragment: Sendable {
    /// The maximum number of bytes.
    static let maximum = 64

    let bytes: SIMD64<UInt8>
    /// The number of bytes before the padding; at most `maximum`.
    let count: Int

    init(_ text: [UInt8]) {
        precondition(text.count <= Self.maximum, "a fragment has at most 64 bytes")
        var bytes = SIMD64<UInt8>()
        for (index, byte) in text.enumerated() { bytes[index] = byte }
        self.bytes = bytes
        count = text.count
    }
}

/// JSON of nested objects that is cut into fragments.
private struct FragmentBuilder {
    private var bytes: [UInt8] = []
    /// The path of the innermost open object.
    private var path: [String] = []
    /// Whether the innermost open object has no key yet.
    private var isFirst = false

    mutating func append(_ text: String) { bytes += text.utf8 }

    /// Writes a key and its colon.
    mutating func key(_ key: StaticString) {
        append((isFirst ? "\"" : ",\"") + "\(key)\":")
        isFirst = false
    }

    /// Closes and opens objects, until the innermost open object is the one at a path.
    mutating func open(_ keys: some Collection<StaticString>) {
        let target = keys.map { "\($0)" }
        while !target.starts(with: path) {
            append("}")
            path.removeLast()
            isFirst = false
        }
        for key in keys.dropFirst(path.count) {
            self.key(key)
            append("{")
            path.append("\(key)")
            isFirst = true
        }
    }

    /// Removes the text written so far.
    mutating func take() -> TextFragment {
        defer { bytes = [] }
        return TextFragment(bytes)
    }
}
