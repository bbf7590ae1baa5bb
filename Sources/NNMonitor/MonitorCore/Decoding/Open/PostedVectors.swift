/// The vectors of a step: their names, the ids of their layers, and their values.
struct PostedVectors {
    /// A vector.
    struct Vector {
        /// The index of its name.
        var name: Int32
        /// Where the id of its layer is in `text`.
        var id: Range<Int32>
        /// The number of its values.
        var length: Int32
    }

    /// The names and the ids (unescaped UTF-8).
    var text: [UInt8] = []
    /// Where each name is in `text`. Names that have no vector count too.
    var names: [Range<Int32>] = []
    /// The vectors. Those of one name are adjacent.
    var vectors: [Vector] = []
    /// The values of all vectors.
    var values: [Double] = []

    /// Removes everything.
    mutating func removeAll() {
        text.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        vectors.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }

    /// The bytes of a name.
    func name(_ index: Int) -> ArraySlice<UInt8> { slice(names[index]) }

    /// The bytes of the id of a vector's layer.
    func id(_ vector: Int) -> ArraySlice<UInt8> { slice(vectors[vector].id) }

    /// Appends a string to the text.
    ///
    /// - Returns: its range, and whether it is valid Unicode.
    mutating func append(_ string: RawString, in reader: JSONReader) -> (range: Range<Int32>, isUnicode: Bool) {
        let start = Int32(truncatingIfNeeded: text.count)
        let isUnicode = reader.append(string, to: &text)
        return (start..<Int32(truncatingIfNeeded: text.count), isUnicode)
    }

    /// Replaces `.` with `/` in the ids from a vector on.
    mutating func serveSlashes(from vector: Int) {
        for vector in vectors[vector...] {
            for index in Int(vector.id.lowerBound)..<Int(vector.id.upperBound) where text[index] == UInt8(ascii: ".") {
                text[index] = UInt8(ascii: "/")
            }
        }
    }

    /// Whether the names, ids and lengths equal those of a layout.
    func equal(_ layout: ColumnLayout) -> Bool {
        vectors.count == layout.vectorCount
            && vectors.indices.allSatisfy { vector in
                layout.vectorLength(vector) == Int(vectors[vector].length)
                    && layout.vectorLayer(vector) == id(vector)
                    && layout.vectorName(vector) == name(Int(vectors[vector].name))
            }
    }

    /// Adds the names, ids and lengths to a layout.
    func append(to layout: inout ColumnLayout) {
        var name: (index: Int32, start: Int32, end: Int32) = (-1, 0, 0)
        for (index, vector) in vectors.enumerated() {
            if vector.name != name.index {
                let start = Int32(truncatingIfNeeded: layout.text.count)
                layout.text += self.name(Int(vector.name))
                name = (vector.name, start, Int32(truncatingIfNeeded: layout.text.count))
            }
            let start = Int32(truncatingIfNeeded: layout.text.count)
            layout.text += id(index)
            layout.vectorBounds += [
                name.start, name.end, start, Int32(truncatingIfNeeded: layout.text.count), vector.length,
            ]
        }
    }

    private func slice(_ range: Range<Int32>) -> ArraySlice<UInt8> {
        text[Int(range.lowerBound)..<Int(range.upperBound)]
    }
}
