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

    @Test func `Doubles are written as the library describes them`() {
        func check(_ value: Double) {
            var writer = JSONWriter()
            writer.double(value)
            #expect(String(decoding: writer.bytes, as: UTF8.self) == value.description)
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100_000 {
            let value = Double(bitPattern: generator.next())
            if value.isFinite { check(value) }
        }
        for _ in 0..<100_000 { check(Double.random(in: -2...2, using: &generator)) }
        // Few digits, many zeros, and both sides of where the form changes.
        for _ in 0..<50_000 {
            let digits = Double(Int.random(in: -9999...9999, using: &generator))
            let exponent = Int.random(in: -22...22, using: &generator)
            check(Double("\(digits)e\(exponent)") ?? 0)
        }
        for exponent in -1074...1023 {
            let power = Double(sign: .plus, exponent: exponent, significand: 1)
            for value in [power.nextDown, power, power.nextUp] { check(value) }
        }
        for exponent in -323...308 {
            guard let power = Double("1e\(exponent)") else { continue }
            for value in [power.nextDown, power, power.nextUp, -power] { check(value) }
        }
        for value in [0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, 1.0 / 3] { check(value) }
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
