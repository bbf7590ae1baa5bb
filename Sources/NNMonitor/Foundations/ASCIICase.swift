extension StringProtocol {
    /// Whether this is `word`, in whatever case of ASCII letters.
    ///
    /// `lowercased()` maps letters outside of ASCII too: U+212A becomes `k`, and another word would be taken for this
    /// one.
    ///
    /// - Parameter word: ASCII in lower case.
    /// - Returns: whether the bytes are those of `word`.
    package func isASCIIWord(_ word: StaticString) -> Bool {
        guard utf8.count == word.utf8CodeUnitCount else { return false }
        // A literal's bytes exist as long as the program.
        return word.withUTF8Buffer { bytes in
            unsafe utf8.elementsEqual(bytes) { byte, expected in
                byte == expected || (0x41...0x5A).contains(byte) && byte | 0x20 == expected
            }
        }
    }
}
