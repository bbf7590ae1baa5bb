extension StringProtocol {
    /// Whether the text equals `word`, ignoring the case of ASCII letters.
    ///
    /// `lowercased()` also maps letters outside ASCII: U+212A becomes `k`, so a different word would match.
    ///
    /// - Parameter word: ASCII in lower case.
    /// - Returns: whether the bytes equal those of `word`.
    package func isASCIIWord(_ word: StaticString) -> Bool {
        guard utf8.count == word.utf8CodeUnitCount else { return false }
        // The bytes of a `StaticString` live as long as the program.
        return word.withUTF8Buffer { bytes in
            unsafe utf8.elementsEqual(bytes) { byte, expected in
                byte == expected || (0x41...0x5A).contains(byte) && byte | 0x20 == expected
            }
        }
    }
}
