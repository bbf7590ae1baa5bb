/// Appends compact JSON to an array of bytes.
///
/// It writes what it is told and keeps no state about commas or nesting: the callers know the schema.
package struct JSONWriter: Sendable {
    /// The JSON so far.
    package private(set) var bytes: [UInt8]

    /// - Parameter capacity: bytes to reserve.
    package init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Forgets what was written and keeps the memory.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Writes text as it is: punctuation and known keys.
    @inline(__always)
    package mutating func literal(_ text: StaticString) {
        // A literal's bytes are there as long as the program.
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Writes one byte as it is.
    @inline(__always)
    package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    /// Writes JSON that is already made.
    @inline(__always)
    package mutating func raw(_ json: ArraySlice<UInt8>) { bytes.append(contentsOf: json) }

    /// Writes JSON that is already made.
    package mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }

    /// Writes a whole number.
    package mutating func integer(_ value: Int64) {
        if value >= 0 && value < 10 {
            bytes.append(UInt8(truncatingIfNeeded: value) &+ UInt8(ascii: "0"))
        } else {
            var description = value.description
            description.withUTF8 { unsafe bytes.append(contentsOf: $0) }
        }
    }

    /// Writes a number so that reading it gives the same double: the shortest decimal that does.
    ///
    /// `NaN` and the infinities have no JSON number; they are written as the strings that protobuf's JSON uses.
    package mutating func double(_ value: Double) {
        guard value.isFinite else {
            literal(value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
            return
        }
        var description = value.description
        description.withUTF8 { unsafe bytes.append(contentsOf: $0) }
    }

    /// Writes a number, or `null` where it was not posted.
    @inline(__always)
    package mutating func optionalDouble(_ value: Double) {
        if Absent.marks(value) { literal("null") } else { double(value) }
    }

    /// Writes a JSON string from UTF-8 bytes.
    package mutating func string(_ text: some Sequence<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
                bytes.append(byte)
            } else {
                escape(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a JSON string.
    package mutating func string(_ text: String) { string(text.utf8) }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): literal("\\\"")
        case UInt8(ascii: "\\"): literal("\\\\")
        case 0x08: literal("\\b")
        case 0x09: literal("\\t")
        case 0x0A: literal("\\n")
        case 0x0C: literal("\\f")
        case 0x0D: literal("\\r")
        default:
            literal("\\u00")
            for nibble in [byte >> 4, byte & 15] {
                bytes.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
            }
        }
    }
}
