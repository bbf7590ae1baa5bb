/// Untrusted text that compares and hashes by its UTF-8 bytes.
///
/// Swift's `==` on `String` is canonical equivalence: `é` equals `e` followed by U+0301, and `K` equals U+212A.
/// Clients, URLs and JSON compare bytes, so every table keyed by untrusted text uses this type.
package struct ByteString: Sendable {
    /// The text itself.
    package let text: String

    /// Wraps a text.
    package init(_ text: String) { self.text = text }

    /// Decodes UTF-8. Invalid sequences become U+FFFD.
    package init(decoding bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

    /// Length in bytes of UTF-8.
    package var byteCount: Int { text.utf8.count }
}

extension ByteString: Hashable {
    package static func == (left: ByteString, right: ByteString) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        // The pointer is used only inside the closure; `combine(bytes:)` keeps no reference to it.
        let isHashed: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if isHashed == nil {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}

extension ByteString: ExpressibleByStringInterpolation {
    /// Wraps a literal.
    package init(stringLiteral text: String) { self.init(text) }
}

extension ByteString: CustomStringConvertible {
    /// The text itself.
    package var description: String { text }
}
