/// Appends compact JSON to an array of bytes.
///
/// It tracks neither commas nor nesting: callers know the schema.
package struct JSONWriter: Sendable {
    /// The JSON written so far.
    package private(set) var bytes: [UInt8]
    private let powers = PowersOfFive.shared

    /// Creates an empty writer.
    ///
    /// - Parameter capacity: bytes to reserve.
    package init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Removes all bytes and keeps the capacity.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Writes a literal without escaping it: punctuation and known keys.
    @inline(__always)
    package mutating func literal(_ text: StaticString) {
        // The bytes of a `StaticString` live as long as the program.
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Writes one byte without escaping it.
    @inline(__always)
    package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    /// Writes JSON that is already encoded.
    @inline(__always)
    package mutating func raw(_ json: ArraySlice<UInt8>) { bytes.append(contentsOf: json) }

    /// Writes JSON that is already encoded.
    package mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }

    /// Writes a whole number.
    package mutating func integer(_ value: Int64) {
        if value >= 0 && value < 10 {
            bytes.append(UInt8(truncatingIfNeeded: value) &+ UInt8(ascii: "0"))
        } else {
            var description = value.description
            // `append` copies the bytes inside the closure.
            description.withUTF8 { unsafe bytes.append(contentsOf: $0) }
        }
    }

    /// Writes a double so that parsing it gives the same double (see `ByteCursor.double`).
    package mutating func double(_ value: Double) {
        reserving(ByteCursor.doubleRoom) { $0.double(value) }
    }

    /// Writes a double as text that is not JSON: whole numbers have no fraction, numbers that are not finite no quotes.
    mutating func plainDouble(_ value: Double) {
        if value.isFinite {
            double(value)
            if bytes.suffix(2).elementsEqual(".0".utf8) { bytes.removeLast(2) }
            return
        }
        literal(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
    }

    /// Writes a stored number; `null` if it was not posted.
    package mutating func optionalDouble(_ value: Double) {
        if MissingValue.isMissing(value) { literal("null") } else { double(value) }
    }

    /// Writes stored numbers, separated by commas; `null` for those that were not posted.
    package mutating func optionalDoubles(_ values: ArraySlice<Double>) {
        reserving(values.count * (ByteCursor.doubleRoom + 1)) { cursor in
            var isFirst = true
            for value in values {
                if !isFirst { cursor.byte(UInt8(ascii: ",")) }
                isFirst = false
                if MissingValue.isMissing(value) { cursor.literal("null") } else { cursor.double(value) }
            }
        }
    }

    /// Reserves `room` bytes, into which `write` writes with a cursor.
    @inline(__always)
    mutating func reserving(_ room: Int, _ write: (inout ByteCursor) -> Void) {
        bytes.append(addingCapacity: room) { span in
            // The array keeps its memory valid during the closure. `count` reports the bytes that the cursor
            // initialized.
            unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                guard let start = buffer.baseAddress else { return }
                let first = unsafe start + count
                var cursor = unsafe ByteCursor(first, room: buffer.count - count, powers: powers)
                write(&cursor)
                unsafe count += cursor.count(since: first)
            }
        }
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
