import Compression
import NIOCore
import Testing

@Suite struct CompressionTests {
    private let generous = ExpansionLimits(maximumSize: 1 << 30, maximumRatio: 100_000)

    private func compress(_ bytes: [UInt8], _ format: CompressionFormat) throws -> ByteBuffer {
        var deflater = try Deflater(format: format)
        var output = ByteBuffer()
        try deflater.deflate(ByteBuffer(bytes: bytes), into: &output, flush: .finish)
        return output
    }

    /// Decompresses in pieces of `piece` bytes.
    private func expand(
        _ input: ByteBuffer, _ format: CompressionFormat, piece: Int = .max, limits: ExpansionLimits? = nil
    ) throws(CompressionError) -> [UInt8] {
        var inflater = try Inflater(format: format, limits: limits ?? generous)
        var input = input
        var output = ByteBuffer()
        while var part = input.readSlice(length: min(piece, input.readableBytes)), part.readableBytes > 0 {
            try inflater.inflate(&part, into: &output)
        }
        try inflater.finish()
        return Array(output.readableBytesView)
    }

    private func sample(_ count: Int) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { $0 % 3 == 0 ? .random(in: 0...255, using: &random) : UInt8(ascii: "a") }
    }

    @Test(arguments: [CompressionFormat.gzip, .zlib, .raw(windowBits: 15), .raw(windowBits: 9), .raw(windowBits: 8)])
    func `Decompression restores what was compressed`(format: CompressionFormat) throws {
        for count in [0, 1, 100, 65_536, 300_000] {
            let bytes = sample(count)
            let compressed = try compress(bytes, format)
            #expect(try expand(compressed, format) == bytes)
            #expect(try expand(compressed, format, piece: 7) == bytes)
        }
    }

    @Test func `The content coding deflate is decompressed with and without the zlib header`() throws {
        let bytes = sample(10_000)
        for format in [CompressionFormat.zlib, .raw(windowBits: 15)] {
            let compressed = try compress(bytes, format)
            #expect(try expand(compressed, .deflate) == bytes)
            #expect(try expand(compressed, .deflate, piece: 1) == bytes)
        }
    }

    @Test func `Concatenated gzip members are one stream`() throws {
        var both = try compress(Array("one ".utf8), .gzip)
        both.writeImmutableBuffer(try compress(Array("two".utf8), .gzip))
        #expect(try expand(both, .gzip) == Array("one two".utf8))
        #expect(try expand(both, .gzip, piece: 1) == Array("one two".utf8))
    }

    @Test func `A stream cut anywhere is truncated`() throws {
        let whole = try compress(sample(1000), .gzip)
        for length in 0..<whole.readableBytes {
            #expect(throws: CompressionError.truncated) {
                try expand(whole.getSlice(at: 0, length: length)!, .gzip)
            }
        }
    }

    @Test func `Corrupt data is detected`() throws {
        var broken = try compress(sample(1000), .gzip)
        broken.setInteger(UInt8(0xFF) ^ broken.getInteger(at: 500)!, at: 500)
        let error = #expect(throws: CompressionError.self) { try expand(broken, .gzip) }
        guard case .corrupt = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(throws: CompressionError.self) { try expand(ByteBuffer(string: "no gzip at all"), .gzip) }
    }

    @Test func `Data after the end of a stream is an error`() throws {
        var stream = try compress(sample(10), .zlib)
        stream.writeString("x")
        #expect(throws: CompressionError.trailingData) { try expand(stream, .zlib) }
        var member = try compress(sample(10), .gzip)
        member.writeString("xxxxxxxxxxxxxxxxxxxx")
        #expect(throws: CompressionError.self) { try expand(member, .gzip) }
    }

    @Test(arguments: [1, 600, 70_000])
    func `Zero bytes after a gzip member are ignored`(count: Int) throws {
        var member = try compress(sample(1000), .gzip)
        member.writeRepeatingByte(0, count: count)
        #expect(try expand(member, .gzip).count == 1000)
        member.writeString("x")
        #expect(throws: CompressionError.trailingData) { try expand(member, .gzip) }
        var stream = try compress(sample(10), .zlib)
        stream.writeRepeatingByte(0, count: count)
        #expect(throws: CompressionError.trailingData) { try expand(stream, .zlib) }
    }

    @Test func `Output beyond the maximum size or ratio is an error`() throws {
        let zeros = try compress([UInt8](repeating: 0, count: 20_000_000), .gzip)
        #expect(throws: CompressionError.tooLarge(limit: 1_000_000)) {
            try expand(zeros, .gzip, limits: ExpansionLimits(maximumSize: 1_000_000, maximumRatio: 100_000))
        }
        #expect(throws: CompressionError.ratioExceeded(limit: 100)) {
            try expand(zeros, .gzip, limits: ExpansionLimits(maximumSize: 1 << 30, maximumRatio: 100))
        }
        #expect(throws: CompressionError.ratioExceeded(limit: 0)) {
            try expand(zeros, .gzip, limits: ExpansionLimits(maximumSize: 1 << 30, maximumRatio: 0))
        }
        let small = try compress([UInt8](repeating: 0, count: 60_000), .gzip)
        #expect(
            try expand(small, .gzip, limits: ExpansionLimits(maximumSize: 1 << 20, maximumRatio: 10)).count == 60_000)
    }

    @Test func `A short input reserves little memory`() throws {
        var inflater = try Inflater(format: .gzip, limits: generous)
        var input = try compress(Array("short".utf8), .gzip)
        var output = ByteBuffer()
        try inflater.inflate(&input, into: &output)
        try inflater.finish()
        #expect(String(buffer: output) == "short")
        #expect(output.capacity <= 1024)
    }

    @Test func `A flushed stream ends with an empty block and can be continued`() throws {
        var deflater = try Deflater(format: .raw(windowBits: 15))
        var inflater = try Inflater(format: .raw(windowBits: 15), limits: generous)
        for text in ["Hello", "Hello", "", "something else"] {
            var compressed = ByteBuffer()
            try deflater.deflate(ByteBuffer(string: text), into: &compressed, flush: .sync)
            if !text.isEmpty { #expect(Array(compressed.readableBytesView.suffix(4)) == [0, 0, 0xFF, 0xFF]) }
            var expanded = ByteBuffer()
            try inflater.inflate(&compressed, into: &expanded)
            #expect(String(buffer: expanded) == text)
        }
    }

    @Test func `A reset deflater starts a new stream`() throws {
        var deflater = try Deflater(format: .gzip)
        var first = ByteBuffer()
        var second = ByteBuffer()
        try deflater.deflate(ByteBuffer(string: "the same"), into: &first, flush: .finish)
        deflater.reset()
        try deflater.deflate(ByteBuffer(string: "the same"), into: &second, flush: .finish)
        #expect(first == second)
        #expect(try expand(first, .gzip) == Array("the same".utf8))
    }
}
