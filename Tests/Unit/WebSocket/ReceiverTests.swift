import Compression
import NIOCore
import NIOWebSocket
import Testing

@testable import WebSocket

@Suite struct ReceiverTests {
    /// Returns the events of some frames received in pieces, up to the first violation.
    private func receive(
        _ frames: [ByteBuffer], piece: Int = .max, deflate: DeflateParameters? = nil, limit: Int = 65_536
    ) -> (events: [ReceivedEvent], violation: WebSocketViolation?) {
        var receiver = MessageReceiver(
            configuration: WebSocketConfiguration(maximumMessageSize: limit), deflate: deflate)
        var wire = ByteBuffer()
        for frame in frames { wire.writeImmutableBuffer(frame) }
        var unread = ByteBuffer()
        var events: [ReceivedEvent] = []
        do throws(WebSocketViolation) {
            while let part = wire.readSlice(length: min(piece, wire.readableBytes)), part.readableBytes > 0 {
                unread.writeImmutableBuffer(part)
                while let event = try receiver.next(&unread) { events.append(event) }
            }
        } catch {
            return (events, error)
        }
        return (events, nil)
    }

    private func compressed(_ text: String) throws -> [UInt8] {
        var deflater = try Deflater(format: .raw(windowBits: 15))
        var output = ByteBuffer()
        try deflater.deflate(ByteBuffer(string: text), into: &output, flush: .sync)
        return Array(output.readableBytesView.dropLast(4))
    }

    @Test(arguments: [Int.max, 1, 2, 3, 7])
    func `Messages, fragments and interleaved control frames are received in pieces of any size`(piece: Int) {
        let long = String(repeating: "grüße ", count: 8000)
        let (events, violation) = receive(
            [
                ClientFrames.text("one"), ClientFrames.text("tw", isFinal: false), ClientFrames.frame(0x9, [1, 2]),
                ClientFrames.frame(0x0, Array("o".utf8)), ClientFrames.frame(0x2, [0xFF]), ClientFrames.text(""),
                ClientFrames.text(long), ClientFrames.frame(0xA), ClientFrames.close(1000, reason: Array("ok".utf8)),
            ], piece: piece)
        #expect(violation == nil)
        #expect(
            events == [
                .message(.text(ByteBuffer(string: "one"))), .ping(ByteBuffer(bytes: [1, 2])),
                .message(.text(ByteBuffer(string: "two"))), .message(.binary(ByteBuffer(bytes: [0xFF]))),
                .message(.text(ByteBuffer())), .message(.text(ByteBuffer(string: long))), .pong,
                .close(.normalClosure),
            ])
    }

    @Test func `Invalid frames are violations`() {
        let forbidden: [(String, ByteBuffer)] = [
            ("reserved opcode", ClientFrames.frame(0x3)), ("reserved opcode", ClientFrames.frame(0xB)),
            ("reserved bit set", ClientFrames.frame(0x1, reserved: 1)),
            ("reserved bit set", ClientFrames.frame(0x1, reserved: 4)),
            ("fragmented control frame", ClientFrames.frame(0x9, isFinal: false)),
            ("control frame too long", ClientFrames.frame(0x9, [UInt8](repeating: 0, count: 126))),
            ("frame without mask", ClientFrames.frame(0x1, [1], mask: nil)),
            ("continuation frame without a message", ClientFrames.frame(0x0)),
            ("invalid close code", ClientFrames.close(1005)), ("invalid close code", ClientFrames.close(999)),
            ("invalid close code", ClientFrames.frame(0x8, [3])),
            ("length not in its shortest form", ByteBuffer(bytes: [0x81, 0xFE, 0, 5, 0, 0, 0, 0])),
        ]
        for (reason, frame) in forbidden {
            #expect(receive([frame]).violation == .protocolError(reason))
        }
        #expect(
            receive([ClientFrames.text("a", isFinal: false), ClientFrames.text("b")]).violation
                == .protocolError("new message within a fragmented message"))
    }

    @Test func `Invalid UTF-8 is rejected at its first invalid byte`() {
        // Valid text, a surrogate, and more: the text is rejected before the frame is complete.
        let bytes = Array("κόσμε".utf8) + [0xED, 0xA0, 0x80] + [UInt8](repeating: 65, count: 50)
        let frame = ClientFrames.frame(0x1, bytes)
        let header = 6
        let untilSecondByte = header + Array("κόσμε".utf8).count + 2
        #expect(receive([frame.getSlice(at: 0, length: untilSecondByte - 1)!], piece: 1).violation == nil)
        #expect(receive([frame.getSlice(at: 0, length: untilSecondByte)!], piece: 1).violation == .invalidText)
        #expect(receive([ClientFrames.frame(0x1, [0xE2, 0x82])]).violation == .invalidText)
        #expect(
            receive([ClientFrames.frame(0x1, [0xE2], isFinal: false), ClientFrames.frame(0x0, [0x82, 0xAC])]).events
                == [.message(.text(ByteBuffer(string: "€")))])
        #expect(receive([ClientFrames.close(1000, reason: [0xFF])]).violation == .invalidText)
    }

    @Test func `Compressed messages are decompressed, whole and in fragments`() throws {
        let text = String(repeating: "layer ", count: 1000)
        let bytes = try compressed(text)
        let expected = [ReceivedEvent.message(.text(ByteBuffer(string: text)))]
        for piece in [Int.max, 1, 5] {
            let whole = receive([ClientFrames.frame(0x1, bytes, reserved: 4)], piece: piece, deflate: .init())
            #expect(whole.events == expected)
        }
        let fragments = [
            ClientFrames.frame(0x1, Array(bytes.prefix(10)), isFinal: false, reserved: 4),
            ClientFrames.frame(0x9), ClientFrames.frame(0x0, Array(bytes.dropFirst(10))),
        ]
        #expect(receive(fragments, deflate: .init()).events == [.ping(ByteBuffer())] + expected)
    }

    @Test func `With context takeover a message can refer to earlier messages`() throws {
        var deflater = try Deflater(format: .raw(windowBits: 15))
        var frames: [ByteBuffer] = []
        for _ in 0..<3 {
            var output = ByteBuffer()
            try deflater.deflate(ByteBuffer(string: "the same words"), into: &output, flush: .sync)
            frames.append(ClientFrames.frame(0x1, Array(output.readableBytesView.dropLast(4)), reserved: 4))
        }
        let kept = DeflateParameters(clientNoContextTakeover: false)
        #expect(receive(frames, deflate: kept).events.count == 3)
        let single = DeflateParameters(clientNoContextTakeover: true)
        #expect(receive(frames, deflate: single).violation?.code == .dataInconsistentWithMessage)
    }

    @Test func `The size limit applies to frames, messages and decompressed data`() throws {
        #expect(receive([ClientFrames.text("12345678")], limit: 8).violation == nil)
        #expect(receive([ClientFrames.text("123456789")], limit: 8).violation == .tooLarge)
        let fragments = [ClientFrames.text("12345", isFinal: false), ClientFrames.frame(0x0, Array("6789".utf8))]
        #expect(receive(fragments, limit: 8).violation == .tooLarge)
        // Rejected by the header, before any payload.
        let announced = ByteBuffer(bytes: [0x81, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4])
        #expect(receive([announced]).violation == .tooLarge)
        // A message that exceeds both limits: the limit on its size decides.
        let bomb = ClientFrames.frame(0x1, try compressed(String(repeating: "a", count: 1_000_000)), reserved: 4)
        #expect(receive([bomb], deflate: .init()).violation == .tooLarge)
    }

    @Test func `A message above the floor may expand only by the maximum ratio`() throws {
        for (size, isAllowed) in [(16_384, true), (17_000, false), (65_000, false)] {
            let bytes = try compressed(String(repeating: "a", count: size))
            let frame = ClientFrames.frame(0x1, bytes, reserved: 4)
            let (events, violation) = receive([frame], deflate: .init())
            #expect(violation == (isAllowed ? nil : .expandsTooMuch))
            #expect(events.count == (isAllowed ? 1 : 0))
        }
    }

    @Test(
        arguments: [
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
            [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
        ] as [[UInt8]])
    func `The examples of RFC 7692 section 7_2_3 are decompressed`(payload: [UInt8]) {
        // Fixed Huffman codes, a stored block, a final block, two blocks.
        let hello = [ReceivedEvent.message(.text(ByteBuffer(string: "Hello")))]
        for piece in [Int.max, 1] {
            let frame = ClientFrames.frame(0x1, payload, reserved: 4)
            #expect(receive([frame], piece: piece, deflate: .init()).events == hello)
        }
    }

    @Test func `RSV1 is allowed only in the first frame of a data message`() throws {
        let bytes = try compressed("marked")
        let begun = ClientFrames.frame(0x1, Array(bytes.prefix(2)), isFinal: false, reserved: 4)
        let refused = WebSocketViolation.protocolError("reserved bit set")
        for frames in [
            [begun, ClientFrames.frame(0x0, Array(bytes.dropFirst(2)), reserved: 4)],
            [ClientFrames.frame(0x9, reserved: 4)],
        ] {
            #expect(receive(frames, deflate: .init()).violation == refused)
        }
    }

    @Test func `Invalid UTF-8 is rejected within a compressed fragment`() throws {
        var deflater = try Deflater(format: .raw(windowBits: 15))
        var output = ByteBuffer()
        try deflater.deflate(ByteBuffer(bytes: [0x61, 0xFF]), into: &output, flush: .sync)
        // Rejected before the frame and the message are complete.
        let frame = ClientFrames.frame(
            0x1, Array(output.readableBytesView) + [UInt8](repeating: 0, count: 100), isFinal: false, reserved: 4)
        let part = try #require(frame.getSlice(at: 0, length: 6 + output.readableBytes))
        #expect(receive([part], deflate: .init()).violation == .invalidText)
    }

    @Test func `A message of the maximum size is accepted if compression makes it longer`() throws {
        var random = SplitMix(state: 1)
        let bytes = (0..<65_536).map { _ in UInt8.random(in: 0...255, using: &random) }
        var deflater = try Deflater(format: .raw(windowBits: 15))
        var output = ByteBuffer()
        try deflater.deflate(ByteBuffer(bytes: bytes), into: &output, flush: .sync)
        let frame = ClientFrames.frame(0x2, Array(output.readableBytesView.dropLast(4)), reserved: 4)
        #expect(output.readableBytes - 4 > 65_536)
        #expect(receive([frame], deflate: .init()).events == [.message(.binary(ByteBuffer(bytes: bytes)))])
    }

    @Test func `Invalid compressed data is a violation`() {
        let frame = ClientFrames.frame(0x1, [0xFF, 0xFF, 0xFF], reserved: 4)
        #expect(receive([frame], deflate: .init()).violation?.code == .dataInconsistentWithMessage)
    }
}
