import NIOCore
import Testing

@testable import WebSocket

@Suite struct FrameUnmaskerTests {
    @Test func `A payload in two pieces is unmasked as byte by byte`() {
        let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        for count in 0...40 {
            let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
            let masked = payload.enumerated().map { $1 ^ key[$0 % 4] }
            for cut in 0...count {
                var unmasker = FrameUnmasker(key: 0x1234_5678)
                var first = ByteBuffer(bytes: masked.prefix(cut))
                var second = ByteBuffer(bytes: masked.dropFirst(cut))
                unmasker.unmask(&first)
                unmasker.unmask(&second)
                #expect(Array(first.readableBytesView) + Array(second.readableBytesView) == payload)
            }
        }
    }
}
