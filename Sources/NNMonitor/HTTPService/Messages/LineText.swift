package import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The lines of a decompressed body.
package struct LineText: Sendable {
    /// A line.
    package struct Line: Sendable {
        /// The line without its newline; empty if it is too long.
        package internal(set) var text = ByteBuffer()
        /// Its length in bytes.
        package internal(set) var length = 0
        /// Whether it has nothing but white space.
        package internal(set) var isBlank = true

        fileprivate mutating func add(_ part: ByteBuffer, maximum: Int) {
            if isBlank { isBlank = part.readableBytesView.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
            length += part.readableBytes
            if length > maximum {
                text = ByteBuffer()
            } else if text.readableBytes == 0 {
                text = part
            } else {
                text.writeImmutableBuffer(part)
            }
        }
    }

    private var pieces: BodyPieces
    private var piece = ByteBuffer()

    init(_ pieces: BodyPieces) { self.pieces = pieces }

    /// Reads up to the next newline, which is consumed, or to the end.
    ///
    /// - Parameter maximum: the text of a longer line is dropped.
    /// - Returns: the line; `nil` at the end.
    package mutating func next(maximum: Int) -> Line? {
        var line: Line?
        while true {
            if piece.readableBytes == 0 {
                guard let next = pieces.popFirst() else { return line }
                piece = next
                continue
            }
            let newline = distanceToNewline()
            var current = line ?? Line()
            if let part = piece.readSlice(length: newline ?? piece.readableBytes) {
                current.add(part, maximum: maximum)
            }
            if newline != nil {
                piece.moveReaderIndex(forwardBy: 1)
                return current
            }
            line = current
        }
    }

    private func distanceToNewline() -> Int? {
        // `memchr` reads only the readable bytes, and the pointers are used only inside the closure.
        unsafe piece.withUnsafeReadableBytes { bytes -> Int? in
            guard let start = bytes.baseAddress, let end = unsafe memchr(start, Int32(UInt8(ascii: "\n")), bytes.count)
            else { return nil }
            return unsafe start.distance(to: UnsafeRawPointer(end))
        }
    }
}
