import Compression
import NIOCore
import Testing

@Suite struct GzipPieceTests {
    private func expand(_ input: ByteBuffer, piece: Int = .max) throws -> [UInt8] {
        var inflater = try Inflater(
            format: .gzip, limits: ExpansionLimits(maximumSize: 1 << 30, maximumRatio: 100_000))
        var input = input
        var output = ByteBuffer()
        while var part = input.readSlice(length: min(piece, input.readableBytes)), part.readableBytes > 0 {
            try inflater.inflate(&part, into: &output)
        }
        // Checks the checksum and the size of the text.
        try inflater.finish()
        return Array(output.readableBytesView)
    }

    private func stream(_ pieces: [GzipPiece]) -> ByteBuffer {
        var stream = GzipStream()
        var bytes = ByteBuffer(bytes: GzipStream.header)
        for piece in pieces {
            bytes.writeImmutableBuffer(piece.bytes)
            stream.append(piece)
        }
        bytes.writeImmutableBuffer(stream.trailer)
        return bytes
    }

    /// Texts that zlib compresses, and short ones, which are stored.
    private let texts: [[UInt8]] = [0, 1, 63, 64, 65, 1000, 70_000, 200_000].map { count in
        (0..<count).map { $0 % 3 == 0 ? .random(in: 0...255) : UInt8(ascii: "a") }
    }

    @Test func `pieces in any order are a gzip stream`() throws {
        let pieces = texts.map { GzipPiece(ByteBuffer(bytes: $0)) }
        for _ in 0..<30 {
            let order = (0..<Int.random(in: 0...12)).map { _ in Int.random(in: 0..<pieces.count) }
            let bytes = stream(order.map { pieces[$0] })
            #expect(try expand(bytes) == order.flatMap { texts[$0] })
            #expect(try expand(bytes, piece: 100) == order.flatMap { texts[$0] })
        }
    }

    @Test func `a piece can be decompressed before anything follows`() throws {
        var inflater = try Inflater(
            format: .gzip, limits: ExpansionLimits(maximumSize: 1 << 30, maximumRatio: 100_000))
        var header = ByteBuffer(bytes: GzipStream.header)
        var output = ByteBuffer()
        try inflater.inflate(&header, into: &output)
        for text in texts {
            var bytes = GzipPiece(ByteBuffer(bytes: text)).bytes
            output.clear()
            try inflater.inflate(&bytes, into: &output)
            #expect(Array(output.readableBytesView) == text)
        }
    }

    @Test func `a wrong order of pieces in the trailer is detected`() throws {
        let pieces = texts.suffix(2).map { GzipPiece(ByteBuffer(bytes: $0)) }
        var bytes = stream(pieces.reversed())
        var trailer = GzipStream()
        for piece in pieces { trailer.append(piece) }
        bytes.moveWriterIndex(to: bytes.writerIndex - 10)
        bytes.writeImmutableBuffer(trailer.trailer)
        #expect(throws: CompressionError.self) { try expand(bytes) }
    }
}
