extension StringProtocol {
    /// The text without leading and trailing spaces and tabs.
    package var trimmed: String { String(Substring(Substring(self).utf8.trimmed)) }
}

extension Substring.UTF8View {
    /// The bytes without leading and trailing spaces and tabs.
    @inlinable package var trimmed: Substring.UTF8View {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) })
        else { return self[endIndex...] }
        return self[first...last]
    }
}
