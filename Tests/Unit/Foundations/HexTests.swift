import Foundations
import Testing

@Suite struct HexTests {
    @Test func `Bytes are encoded with two digits each`() {
        #expect(Hex.encode([0x00, 0x1F, 0xAB, 0xFF]) == "001fabff")
        #expect(Hex.encode([0x0A, 0xBC], letters: .uppercase, separator: ":") == "0A:BC")
        #expect(Hex.encode([]).isEmpty)
    }

    @Test func `Decoding accepts letters of either case and restores the bytes`() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Hex.decode(Hex.encode(bytes).utf8) == bytes)
        #expect(Hex.decode(Hex.encode(bytes, letters: .uppercase).utf8) == bytes)
        #expect(Hex.decode("".utf8) == [])
    }

    @Test(arguments: ["0", "0g", "g0", "00 ", " 00", "0x00", "0:", "00é"])
    func `Decoding rejects other characters and odd lengths`(text: String) {
        #expect(Hex.decode(text.utf8) == nil)
    }
}
