import CZlib
package import NIOCore

/// A part of a gzip stream. It is compressed independently of the parts around it, so it may be part of many streams.
package struct GzipPiece: Sendable {
    private static let deflaters = DeflaterPool()
    /// Shorter texts, in bytes, are stored: they would not become smaller.
    private static let minimumCompressed = 64

    /// DEFLATE blocks that end at a byte boundary: a reader can decompress them without what follows.
    package let bytes: ByteBuffer
    /// The CRC-32 of the text.
    fileprivate let checksum: UInt
    /// The size of the text, in bytes.
    fileprivate let count: Int

    /// Compresses a part of the text. Without memory for zlib the text is stored as it is.
    ///
    /// - Parameter text: the part.
    package init(_ text: ByteBuffer) {
        count = text.readableBytes
        // zlib reads the bytes during the call, in which they are valid.
        checksum = unsafe text.withUnsafeReadableBytes { bytes in
            unsafe UInt(crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
        }
        let isShort = count < Self.minimumCompressed
        bytes = (isShort ? nil : try? Self.deflaters.compress(text, windowBits: 15)) ?? Self.stored(text)
    }

    /// The text in blocks without compression (RFC 1951 section 3.2.4).
    private static func stored(_ text: ByteBuffer) -> ByteBuffer {
        var text = text
        var bytes = ByteBuffer()
        while let block = text.readSlice(length: min(text.readableBytes, 65_535)), block.readableBytes > 0 {
            let length = UInt16(block.readableBytes)
            bytes.writeMultipleIntegers(UInt8(0), length, ~length, endianness: .little)
            bytes.writeImmutableBuffer(block)
        }
        return bytes
    }
}

/// The beginning and the end of a gzip stream that consists of pieces (RFC 1952).
package struct GzipStream: Sendable {
    /// The bytes before the first piece: the magic number, DEFLATE, no flags, no time, fastest algorithm, unknown
    /// system.
    package static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]

    private var checksum: UInt = 0
    private var count = 0

    /// Begins a stream without pieces.
    package init() {}

    /// Records the next piece.
    package mutating func append(_ piece: GzipPiece) {
        checksum = crc32_combine(checksum, piece.checksum, piece.count)
        count += piece.count
    }

    /// The bytes after the last piece.
    package var trailer: ByteBuffer {
        var bytes = ByteBuffer()
        // A final block without content.
        bytes.writeBytes([3, 0])
        bytes.writeMultipleIntegers(
            UInt32(truncatingIfNeeded: checksum), UInt32(truncatingIfNeeded: count), endianness: .little)
        return bytes
    }
}
