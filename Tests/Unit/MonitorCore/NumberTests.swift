import Testing

@testable import MonitorCore

@Suite struct NumberTests {
    /// Parses a number. If the fast path accepts it too, both results must be equal.
    private func read(_ text: String) throws -> Double {
        let value = try Array(text.utf8).withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer)
            let number = try reader.number()
            #expect(reader.offset == text.utf8.count)
            return reader.double(number)
        }
        if let plain = readPlain(text) { #expect(plain.bitPattern == value.bitPattern, "\(text)") }
        return value
    }

    /// Parses a number with the fast path, in the middle of a text; `nil` if the fast path rejects it.
    private func readPlain(
        _ text: String, followedBy rest: String = "," + String(repeating: " ", count: TextWindow.size)
    ) -> Double? {
        Array((text + rest).utf8).withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer)
            let value = reader.plainDouble()
            #expect(reader.offset == (value == nil ? 0 : text.utf8.count), "\(text)")
            return value
        }
    }

    @Test
    func `The quick way takes up to seven digits, a point and nineteen digits that count, and reads them exactly`() {
        var random = SystemRandomNumberGenerator()
        for zeros in 0...20 {
            for digits in 0...20 {
                for whole in ["0", "1", "90", "1234567"] {
                    let counted = (0..<digits).map { _ in "123456789".randomElement(using: &random)! }
                    let fraction = String(repeating: "0", count: zeros) + String(counted)
                    guard !fraction.isEmpty else { continue }
                    let power = ["", "e-05", "E+22", "e-00"].randomElement(using: &random)!
                    let text = (Bool.random(using: &random) ? "-" : "") + whole + "." + fraction + power
                    let significant = whole == "0" ? digits : whole.count + fraction.count
                    let value = readPlain(text)
                    if let value { #expect(value.bitPattern == Double(text)!.bitPattern, "\(text)") }
                    if significant <= 19 && fraction.count <= 19 { #expect(value != nil, "\(text)") }
                    if significant > 19 && fraction.count > 19 { #expect(value == nil, "\(text)") }
                    // Near the end of the text the fast path cannot read ahead, so it must reject.
                    for rest in ["", "}"] { #expect(readPlain(text, followedBy: rest) == nil, "\(text)\(rest)") }
                }
            }
        }
    }

    @Test(arguments: [
        "1", "105", "1.", "-1.", ".5", "01.5", "00.5", "12345678.5", "-", "--1.5", "-x.5", "1,5", "NaN", "-Infinity",
        "1e-05",
        "1.5e3", "1.5e+3", "1.5e-3", "1.5e-123", "1.5e", "1.5ex12", "1.5e-", "1.5e-x1", "1.5e-1x",
    ])
    func `The quick way leaves everything else alone`(text: String) { #expect(readPlain(text) == nil) }

    @Test(arguments: ["", " "], [0, 1, 3, 64, 200])
    func `a run of numbers is read up to the first that is not plain`(space: String, expected: Int) {
        var random = SystemRandomNumberGenerator()
        for count in [0, 1, 2, 63, 64, 65, 129, 150] {
            let numbers = (0..<count).map { _ in Double.random(in: -2...2, using: &random) * 1e-3 }
            for end in ["]", ",null]", ", 7]", ",]", " ,0.5]", ",  0.5]"] {
                let list = numbers.map(\.description).joined(separator: "," + space)
                let text = list + end + String(repeating: " ", count: TextWindow.size)
                Array(text.utf8).withUnsafeBufferPointer { buffer in
                    var reader = JSONReader(buffer)
                    var read = [42.0]
                    #expect(reader.appendPlainDoubles(to: &read, expected: expected) == count)
                    #expect(read.dropFirst().map(\.bitPattern) == numbers.map(\.bitPattern))
                    #expect(reader.offset == list.utf8.count)
                }
            }
        }
    }

    @Test func `Whole numbers are read to eighteen digits, and what isn't plain is left alone`() {
        func read(_ text: String) -> Int64? {
            Array(text.utf8).withUnsafeBufferPointer { buffer in
                var reader = JSONReader(buffer)
                return reader.plainInteger()
            }
        }
        for count in 1...20 {
            let text = String("12345678909876543210".prefix(count))
            for rest in ["", ",", "]", " , 1, 2, 3, 4", "/", ":"] {
                #expect(read(text + rest) == (count < 19 ? Int64(text) : nil), "\(text)\(rest)")
            }
            for rest in [".", ".5, 1, 2, 3", "e1", "E1, 1, 2, 3"] {
                #expect(read(text + rest) == nil, "\(text)\(rest)")
            }
        }
        for text in ["00", "01, 2, 3, 4", "-1", "", "x", ",1234567"] { #expect(read(text) == nil, "\(text)") }
        #expect(read("0") == 0 && read("0, 2, 3, 4, 5") == 0)
    }

    @Test func `random doubles read back bit for bit`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            #expect(try read(value.description).bitPattern == value.bitPattern, "\(value)")
        }
    }

    @Test func `random decimals read as the library reads them`() throws {
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
    func `numbers that are hard to round are read as the library reads them`(text: String) throws {
        #expect(try read(text).bitPattern == Double(text)!.bitPattern)
    }

    @Test(arguments: ["-", "+1", ".5", "1.", "1e", "1e+", "00", "01", "0x1", "--1"])
    func `text that is no number is refused`(text: String) {
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
        // Few digits with many zeros, on both sides of the switch to scientific notation.
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

    @Test func `the writer gives the shortest text that reads back`() {
        var writer = JSONWriter()
        for value in [1, -0.0, 0.1, .leastNonzeroMagnitude, 1e22, 123_456.789] {
            writer.double(value)
            writer.byte(UInt8(ascii: " "))
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "1.0 -0.0 0.1 5e-324 1e+22 123456.789 ")
    }
}
