import NIOCore
import Testing

@testable import WebSocket

/// Compares the validator with `String(validating:as:)`.
@Suite struct UTF8ValidatorTests {
    @Test func `Two bytes are accepted if and only if they are a prefix of valid UTF-8`() {
        // Two bytes are a prefix of valid UTF-8 if one of these endings completes them.
        let endings: [[UInt8]] = [[], [0x80], [0x80, 0x80], [0xA0, 0x80], [0x80, 0x80, 0x80], [0x90, 0x80, 0x80]]
        for first in UInt8(0x7F)...0xFF {
            for second in UInt8(0)...0xFF {
                let isPrefix = endings.contains { String(validating: [first, second] + $0, as: UTF8.self) != nil }
                var validator = UTF8Validator()
                let accepted = validator.accepts(ByteBuffer(bytes: [first, second]).readableBytesView)
                if accepted != isPrefix { Issue.record("\(first) \(second): \(accepted)") }
            }
        }
    }

    @Test func `Text in random pieces is accepted if and only if it is valid`() {
        var random = SplitMix(state: 7)
        let samples = ["plain ascii text ", "grüße ", "κόσμε", "日本語", "😀", "\u{10FFFF}", "\u{800}"].map {
            Array($0.utf8)
        }
        for round in 0..<3000 {
            var bytes = (0..<Int.random(in: 1...8, using: &random)).flatMap { _ in
                samples.randomElement(using: &random) ?? []
            }
            if round % 2 == 0 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if round % 3 == 0 { bytes.removeLast() }
            var rest = ByteBuffer(bytes: bytes)
            var validator = UTF8Validator()
            var isValid = true
            while isValid, rest.readableBytes > 0 {
                let length = Int.random(in: 1...rest.readableBytes, using: &random)
                isValid = validator.accepts(rest.readSlice(length: length)?.readableBytesView ?? ByteBufferView())
            }
            #expect((isValid && validator.isComplete) == (String(validating: bytes, as: UTF8.self) != nil))
        }
    }
}
