import NIOCore
import Testing

@testable import WebSocket

/// Masks and UTF-8, held against the plain way of doing the same.
@Suite struct ByteTests {
    @Test func unmaskingInPiecesIsTheSameAsByteByByte() {
        let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        for count in 0...40 {
            let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
            let masked = payload.enumerated().map { $1 ^ key[$0 % 4] }
            for cut in 0...count {
                var mask = FrameMask(key: 0x1234_5678)
                var first = ByteBuffer(bytes: masked.prefix(cut))
                var second = ByteBuffer(bytes: masked.dropFirst(cut))
                mask.unmask(&first)
                mask.unmask(&second)
                #expect(Array(first.readableBytesView) + Array(second.readableBytesView) == payload)
            }
        }
    }

    @Test func twoBytesAreAcceptedJustWhenTheyCanBeginText() {
        /// What two bytes need to become whole, if anything can help.
        let endings: [[UInt8]] = [[], [0x80], [0x80, 0x80], [0xA0, 0x80], [0x80, 0x80, 0x80], [0x90, 0x80, 0x80]]
        for first in UInt8(0x7F)...0xFF {
            for second in UInt8(0)...0xFF {
                let canBegin = endings.contains { String(validating: [first, second] + $0, as: UTF8.self) != nil }
                var check = UTF8Check()
                let accepted = check.accepts(ByteBuffer(bytes: [first, second]).readableBytesView)
                if accepted != canBegin { Issue.record("\(first) \(second): \(accepted)") }
            }
        }
    }

    @Test func textInAnyPiecesIsJudgedAsTheStandardLibraryJudgesIt() {
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
            var check = UTF8Check()
            var isValid = true
            while isValid, rest.readableBytes > 0 {
                let length = Int.random(in: 1...rest.readableBytes, using: &random)
                isValid = check.accepts(rest.readSlice(length: length)?.readableBytesView ?? ByteBufferView())
            }
            #expect((isValid && check.isComplete) == (String(validating: bytes, as: UTF8.self) != nil))
        }
    }
}

/// A generator whose numbers are the same in each run (Steele, Lea and Flood 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
