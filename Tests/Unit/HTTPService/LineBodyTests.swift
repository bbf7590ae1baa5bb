import Compression
import NIOCore
import Testing

@testable import HTTPService

/// Bodies of lines: their pieces, and the memory that they count for.
@Suite struct LineBodyTests {
    private let budget = BodyBudget(limit: 1 << 30, stallTime: .seconds(5))

    /// A body as the collector has it when the handler begins.
    private func body(
        _ bytes: ByteBuffer, _ coding: RequestCoding = .identity, budget: BodyBudget, part: Int = 10_000
    ) throws -> (lines: LineBody, place: UInt64) {
        let lines = LineBody(
            coding: coding, limits: ExpansionLimits(maximumSize: 1 << 27, maximumRatio: 2000, ratioFloor: 65_536))
        let share = budget.join(identity: nil, address: "a")
        let place = budget.begin(in: share, now: .now())
        budget.leave(share)
        var rest = bytes
        while let next = rest.readSlice(length: min(part, rest.readableBytes)), next.readableBytes > 0 {
            lines.append(next)
            try budget.grow(place, by: next.readableBytes, now: .now())
        }
        lines.finish(budget: budget, place: place)
        return (lines, place)
    }

    /// Text with the entropy of six bits a byte, and a newline after each 100.
    private func text(_ size: Int) -> ByteBuffer {
        var random: UInt64 = 7
        return ByteBuffer(
            bytes: (0..<size).map { index in
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return index % 100 == 99 ? 0x0A : UInt8(0x30 + random >> 58)
            })
    }

    private func gzip(_ bytes: ByteBuffer) throws -> ByteBuffer {
        var output = ByteBuffer()
        var deflater = try Deflater(format: .gzip, level: 1)
        try deflater.deflate(bytes, into: &output, flush: .finish)
        return output
    }

    @Test(arguments: [1, 100, 65_536, 1 << 20]) func `lines are whole whatever the parts of the body`(
        part: Int
    ) throws {
        let text = text(600_050)
        let expected = text.readableBytesView.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        for (bytes, coding) in [(text, RequestCoding.identity), (try gzip(text), .compressed(.gzip))] {
            let part = max(part, bytes.readableBytes / 100_000)
            var lines = try body(bytes, coding, budget: budget, part: part).lines.text()
            var found: [[UInt8]] = []
            while let line = lines.next(maximum: 1000) { found.append(Array(line.text.readableBytesView)) }
            #expect(found == expected)
        }
    }

    @Test func `the text of a line that is too long is dropped`() throws {
        let long = String(repeating: "x", count: 300_000)
        let blank = String(repeating: " ", count: 300_000)
        var lines = try body(ByteBuffer(string: "a\n\(long)\n\(blank)\nb"), budget: budget).lines.text()
        var found: [String] = []
        while let line = lines.next(maximum: 100) {
            found.append("\(line.length) \(line.isBlank) \(String(buffer: line.text))")
        }
        #expect(found == ["1 false a", "300000 false ", "300000 true ", "1 false b"])
    }

    @Test(arguments: [0, 1, 80, 671]) func `body and text together take little more than the larger of them`(
        members: Int
    ) throws {
        // Each member of the gzip stream has 100 KB of text: together up to 64 MiB.
        let block = text(100_000)
        let member = try gzip(block)
        var compressed = ByteBuffer()
        for _ in 0..<members { compressed.writeImmutableBuffer(member) }
        let size = members * block.readableBytes
        let larger = max(size, compressed.readableBytes)
        // The part for large bodies has room for the larger one and two pieces.
        let room = larger + 512 << 10
        let exact = BodyBudget(limit: room + room / 7 + 8, stallTime: .seconds(5))
        var (lines, place) = try body(compressed, .compressed(.gzip), budget: exact)
        #expect(exact.inUse == compressed.readableBytes)
        _ = try lines.text()
        #expect(exact.inUse >= size && exact.inUse <= larger + 128 << 10)
        exact.end(place)
        #expect(exact.inUse == 0)
        // Without room for the text it is refused, and all memory is given back.
        guard size > 1 << 20 else { return }
        let small = BodyBudget(limit: compressed.readableBytes * 8 / 7 + (1 << 20), stallTime: .seconds(5))
        (lines, place) = try body(compressed, .compressed(.gzip), budget: small)
        #expect(throws: HTTPError.self) { try lines.text() }
        small.end(place)
        #expect(small.inUse == 0)
    }
}
