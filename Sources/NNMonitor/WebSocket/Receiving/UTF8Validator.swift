import NIOCore

/// Validates UTF-8 incrementally (RFC 3629): rejects overlong encodings, surrogates and code points above U+10FFFF.
///
/// It rejects the first byte that cannot continue valid UTF-8, independently of how the text is split into pieces.
struct UTF8Validator {
    /// The number of continuation bytes missing from the current character.
    private var needed = 0
    /// The bounds of the next continuation byte. They differ from 80 and BF only for the second byte of a character.
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xBF

    /// Whether the text so far ends with a complete character.
    var isComplete: Bool { needed == 0 }

    /// Validates the next piece.
    ///
    /// - Returns: whether the text so far is a prefix of valid UTF-8.
    mutating func accepts(_ piece: ByteBufferView) -> Bool {
        // The bytes are valid during the closure and are not kept.
        unsafe piece.withUnsafeBytes { unsafe accepts($0) }
    }

    /// The same for raw bytes, which are valid during the call.
    private mutating func accepts(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if needed == 0 {
                // Skip ASCII eight bytes at a time; all accesses are within `bytes.count`.
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

    /// Starts a character with its lead byte (RFC 3629 section 4).
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
