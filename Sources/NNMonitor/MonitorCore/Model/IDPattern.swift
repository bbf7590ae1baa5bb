/// A pattern for layer ids in a query: text in which `*` stands for any run of characters.
package struct IDPattern: Sendable, Hashable {
    /// The literal parts between the stars. One part: no star.
    private let parts: [[UInt8]]

    /// - Parameter parts: the literal parts between the stars, as served (with `/`); at least one.
    package init(parts: [[UInt8]]) {
        precondition(!parts.isEmpty, "a pattern without a star has one part")
        self.parts = parts
    }

    /// Whether an id matches as a whole.
    ///
    /// Each part between the first and the last is matched as early as possible, so the time is at most the product of
    /// the lengths.
    package func matches(_ id: ArraySlice<UInt8>) -> Bool {
        guard parts.count > 1 else { return id.elementsEqual(parts[0]) }
        let last = parts[parts.count - 1]
        guard id.starts(with: parts[0]), id.count >= parts[0].count + last.count, id.suffix(last.count) == last[...]
        else { return false }
        var rest = id.dropFirst(parts[0].count).dropLast(last.count)
        for part in parts[1..<parts.count - 1] {
            guard let end = Self.end(of: part, in: rest) else { return false }
            rest = rest[end...]
        }
        return true
    }

    /// The end of the first occurrence of a part.
    private static func end(of part: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard text.count >= part.count else { return nil }
        for start in text.startIndex...text.endIndex - part.count
        where text[start..<start + part.count].elementsEqual(part) {
            return start + part.count
        }
        return nil
    }
}
