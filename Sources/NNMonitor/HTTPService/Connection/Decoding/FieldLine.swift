/// Scans a field line of a head or a trailer (RFC 9112 section 5). No white space is accepted around the name, no
/// folded value, and no line end but CRLF. The line may arrive in pieces: an error is found at the same byte however it
/// is split.
struct FieldLine {
    enum Outcome { case incomplete, field, endOfFields }

    private enum Part { case start, name, beforeValue, value, lineFeed, endLineFeed }

    private static let malformed = RequestFailure.malformed("A header is not valid")

    /// The number of bytes scanned.
    private(set) var scanned = 0
    /// The bytes of the name.
    private(set) var name = 0..<0
    /// The bytes of the value, without surrounding white space.
    private(set) var value = 0..<0

    private var part = Part.start

    /// Scans bytes that have arrived since the last call.
    ///
    /// - Parameters:
    ///   - bytes: the input from the start of the line, with the bytes of earlier calls.
    ///   - maximumSize: the maximum length of the line, in bytes.
    /// - Returns: whether the line is complete, and whether it is the empty line after the fields.
    /// - Throws: the error in the line.
    mutating func scan(_ bytes: Span<UInt8>, maximumSize: Int) throws(RequestFailure) -> Outcome {
        let end = min(bytes.count, maximumSize)
        while scanned < end {
            switch part {
            case .start:
                if bytes[0] == .carriageReturn {
                    part = .endLineFeed
                } else {
                    guard bytes[0].isTokenByte else { throw Self.malformed }
                    part = .name
                }
            case .name:
                while scanned < end, bytes[scanned].isTokenByte { scanned += 1 }
                guard scanned < end else { continue }
                guard bytes[scanned] == UInt8(ascii: ":") else { throw Self.malformed }
                name = 0..<scanned
                part = .beforeValue
            case .beforeValue:
                while scanned < end, bytes[scanned].isFieldSpace { scanned += 1 }
                guard scanned < end else { continue }
                value = scanned..<scanned
                part = .value
                continue
            case .value:
                while scanned < end, bytes[scanned].isFieldValueByte { scanned += 1 }
                guard scanned < end else { continue }
                guard bytes[scanned] == .carriageReturn else { throw Self.malformed }
                var last = scanned
                while last > value.lowerBound, bytes[last - 1].isFieldSpace { last -= 1 }
                value = value.lowerBound..<last
                part = .lineFeed
            case .lineFeed, .endLineFeed:
                guard bytes[scanned] == .lineFeed else { throw Self.malformed }
                scanned += 1
                return part == .lineFeed ? .field : .endOfFields
            }
            scanned += 1
        }
        if bytes.count > maximumSize { throw .headersTooLarge }
        return .incomplete
    }
}
