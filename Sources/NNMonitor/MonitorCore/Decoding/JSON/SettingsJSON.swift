/// A value of a file of settings in JSON, with the line at which it begins.
package struct SettingsJSON: Sendable {
    /// A value.
    package enum Value: Sendable {
        /// An object: its members in the order of the text.
        case object([Member])
        /// A list.
        case list([SettingsJSON])
        /// A finite number.
        case number(Double)
        /// A string.
        case text(String)
        /// A boolean.
        case boolean(Bool)
        /// `null`.
        case null
    }

    /// A member of an object.
    package struct Member: Sendable {
        /// The key.
        package let key: String
        /// The line of the key, from 1.
        package let line: Int
        /// The value.
        package let value: SettingsJSON
    }

    /// What is wrong with a file.
    package struct Failure: Error, CustomStringConvertible {
        /// The line, from 1.
        package let line: Int
        /// What is wrong and what to do.
        package let reason: String

        /// - Parameters:
        ///   - line: the line, from 1.
        ///   - reason: what is wrong and what to do.
        package init(line: Int, _ reason: String) {
            self.line = line
            self.reason = reason
        }

        /// Both.
        package var description: String { "line \(line): \(reason)" }
    }

    /// The line at which it begins, from 1.
    package let line: Int
    /// The value.
    package let value: Value

    /// Reads a file.
    ///
    /// - Parameter text: the file, UTF-8.
    /// - Returns: its value.
    /// - Throws: `Failure` if it is not valid JSON.
    package static func read(_ text: [UInt8]) throws(Failure) -> SettingsJSON {
        // The parser does not outlive the closure that provides the buffer.
        let result: Result<SettingsJSON, JSONSyntaxError> = unsafe text.withUnsafeBufferPointer { buffer in
            var parser = unsafe Parser(reader: JSONReader(buffer), text: text)
            do throws(JSONSyntaxError) {
                parser.reader.skipWhitespace()
                let value = try parser.value()
                try parser.reader.finish()
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let value): return value
        case .failure(let error):
            throw Failure(
                line: Parser.line(of: error.offset, in: text), error.problem.sentence(at: error.offset))
        }
    }

    private struct Parser {
        var reader: JSONReader
        let text: [UInt8]

        static func line(of offset: Int, in text: [UInt8]) -> Int {
            1 + text.prefix(offset).count { $0 == UInt8(ascii: "\n") }
        }

        private var line: Int { Self.line(of: reader.offset, in: text) }

        mutating func value() throws(JSONSyntaxError) -> SettingsJSON {
            let line = line
            switch reader.next {
            case UInt8(ascii: "{"): return SettingsJSON(line: line, value: .object(try members()))
            case UInt8(ascii: "["): return SettingsJSON(line: line, value: .list(try elements()))
            case UInt8(ascii: "\""): return SettingsJSON(line: line, value: .text(string(try reader.string())))
            case UInt8(ascii: "t"):
                try reader.consumeWord("true")
                return SettingsJSON(line: line, value: .boolean(true))
            case UInt8(ascii: "f"):
                try reader.consumeWord("false")
                return SettingsJSON(line: line, value: .boolean(false))
            case UInt8(ascii: "n"):
                try reader.consumeWord("null")
                return SettingsJSON(line: line, value: .null)
            default: return SettingsJSON(line: line, value: .number(reader.double(try reader.number())))
            }
        }

        private mutating func members() throws(JSONSyntaxError) -> [Member] {
            var members: [Member] = []
            try reader.open()
            var first = true
            var line = line
            while let key = try reader.nextKey(first: &first) {
                line = Self.line(of: key.range.lowerBound, in: text)
                members.append(Member(key: string(key), line: line, value: try value()))
            }
            return members
        }

        private mutating func elements() throws(JSONSyntaxError) -> [SettingsJSON] {
            var elements: [SettingsJSON] = []
            try reader.open()
            var first = true
            while try reader.nextElement(first: &first) { elements.append(try value()) }
            return elements
        }

        private func string(_ raw: RawString) -> String {
            var bytes: [UInt8] = []
            _ = reader.append(raw, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
