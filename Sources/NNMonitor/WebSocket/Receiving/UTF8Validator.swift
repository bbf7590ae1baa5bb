import NIOCore

/// Checks UTF-8 piece by piece (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF.
///
/// An invalid byte is found at once, wherever a piece ends.
struct UTF8Check {
    /// Continuation bytes that the current character still needs.
    private var needed = 0
    /// What the next byte may be; only the second byte of a character has other bounds than 80 to BF.
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xBF

    /// Whether all characters so far are whole.
    var isComplete: Bool { needed == 0 }

    /// Checks the next piece.
    ///
    /// - Returns: whether everything so far can be the beginning of valid UTF-8.
    mutating func accepts(_ piece: ByteBufferView) -> Bool {
        // The view lends its bytes for the call, which keeps nothing of them.
        unsafe piece.withUnsafeBytes { unsafe accepts($0) }
    }

    /// The same over raw bytes; the pointer is used only within the call.
    private mutating func accepts(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if needed == 0 {
                // Eight bytes of ASCII at a time; every access is within the bounds.
                while index &+ 8 <= bytes.count,
                    unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                {
                    index &+= 8
                }
                guard index < bytes.count else { return true }
            }
            let byte = unsafe bytes[index]
            index &+= 1
            if needed > 0 {
                guard byte >= lower && byte <= upper else { return false }
                needed -= 1
                lower = 0x80
                upper = 0xBF
            } else if byte >= 0x80 {
                guard begin(byte) else { return false }
            }
        }
        return true
    }

    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: needed = 1
        case 0xE0:
            needed = 2
            lower = 0xA0
        case 0xED:
            needed = 2
            upper = 0x9F
        case 0xE1...0xEF: needed = 2
        case 0xF0:
            needed = 3
            lower = 0x90
        case 0xF4:
            needed = 3
            upper = 0x8F
        case 0xF1...0xF3: needed = 3
        default: return false
        }
        return true
    }
}
