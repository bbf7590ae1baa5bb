/// Text from outside that is equal only to the same bytes of UTF-8.
///
/// Swift's `==` on `String` is canonical equivalence: `é` equals `e` followed by U+0301, and `K` equals U+212A.
/// Clients, URLs and JSON compare bytes, so every table that is keyed by text from outside is keyed by this type.
package struct ByteString: Sendable {
    /// The text itself.
    package let text: String

    /// Makes a byte string of a text.
    package init(_ text: String) { self.text = text }

    /// Makes a string of UTF-8 bytes. Bytes that are not UTF-8 become U+FFFD.
    package init(decoding bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

    /// Bytes of UTF-8.
    package var byteCount: Int { text.utf8.count }
}

extension ByteString: Hashable {
    package static func == (left: ByteString, right: ByteString) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        // The string lends its bytes for the call, and the hasher keeps none of them.
        let isHashed: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if isHashed == nil {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}

extension ByteString: ExpressibleByStringInterpolation {
    /// Makes a byte string of a literal.
    package init(stringLiteral text: String) { self.init(text) }
}

extension ByteString: CustomStringConvertible {
    /// The text itself.
    package var description: String { text }
}
