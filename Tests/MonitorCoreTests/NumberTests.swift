import Testing

@testable import MonitorCore

@Suite struct NumberTests {
    private func read(_ text: String) throws -> Double {
        try Array(text.utf8).withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer)
            let number = try reader.number()
            #expect(reader.offset == text.utf8.count)
            return reader.double(number)
        }
    }

    @Test func randomDoublesReadBackBitForBit() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            #expect(try read(value.description).bitPattern == value.bitPattern, "\(value)")
        }
    }

    @Test func randomDecimalsReadAsTheLibraryReadsThem() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100_000 {
            let digits = String((0..<Int.random(in: 1...24, using: &random)).map { _ in "0123456789".randomElement()! })
            let whole = digits.drop { $0 == "0" }
            let text = "\(whole.isEmpty ? "0" : whole).\(digits)e\(Int.random(in: -345...310, using: &random))"
            let expected = Double(text)!
            #expect(try read(text).bitPattern == expected.bitPattern, "\(text)")
        }
    }

    @Test(arguments: [
        "0", "-0", "0.0", "-0.0", "5e-324", "2.4703282292062328e-324", "2.2250738585072011e-308", "1e-400", "1e400",
        "1.7976931348623157e308", "1.7976931348623159e308", "9007199254740993", "9007199254740992.5",
        "8.5", "0.1", "123456789012345678901234567890", "0.000000000000000000000000000000123456789012345678901",
        "1e22", "1e23", "6929495644600919.5", "3.5e-46", "9223372036854775807", "18446744073709551615",
        "1e99999999999999999999", "1e-99999999999999999999", "0e99999999999999999999",
    ])
    func theHardCases(text: String) throws {
        #expect(try read(text).bitPattern == Double(text)!.bitPattern)
    }

    @Test(arguments: ["-", "+1", ".5", "1.", "1e", "1e+", "00", "01", "0x1", "--1"])
    func whatIsNoNumberIsRefused(text: String) {
        #expect(throws: JSONSyntaxError.self) {
            try Array(text.utf8).withUnsafeBufferPointer { buffer in
                var reader = JSONReader(buffer)
                _ = try reader.number()
                try reader.finish()
            }
        }
    }

    @Test func theWriterGivesTheShortestTextThatReadsBack() {
        var writer = JSONWriter()
        for value in [1, -0.0, 0.1, .leastNonzeroMagnitude, 1e22, 123_456.789] {
            writer.double(value)
            writer.byte(UInt8(ascii: " "))
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "1.0 -0.0 0.1 5e-324 1e+22 123456.789 ")
    }
}
