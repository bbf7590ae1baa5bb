import Logging

/// One log entry.
struct LogEntry {
    let time: LogTime
    let level: Logger.Level
    let label: String
    let message: String
    /// The fields, in the order in which they are written.
    let metadata: [(key: String, value: Logger.MetadataValue)]

    /// The entry as one line, line feed included.
    func line(_ format: LogFormat) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        switch format {
        case .text: appendText(to: &line)
        case .json: appendJSON(to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// Appends `TIME level label: message key=value`, without a line feed.
    ///
    /// Values with spaces, quotes or control characters are quoted. Control characters are escaped everywhere: an entry
    /// is one line, and no client can forge another line or move the terminal's cursor.
    func appendText(to line: inout [UInt8]) {
        time.append(to: &line)
        line.append(UInt8(ascii: " "))
        line.append(contentsOf: level.rawValue.utf8)
        line.append(UInt8(ascii: " "))
        LogEscaping.appendPlain(label, to: &line)
        line.append(contentsOf: ": ".utf8)
        LogEscaping.appendPlain(message, to: &line)
        for (key, value) in metadata {
            line.append(UInt8(ascii: " "))
            LogEscaping.appendWord(key, to: &line)
            line.append(UInt8(ascii: "="))
            switch value {
            case .string(let text): LogEscaping.appendWord(text, to: &line)
            case .stringConvertible(let value): LogEscaping.appendWord(value.description, to: &line)
            case .array, .dictionary:
                // Nested values are rare in our logs, so JSON is readable enough.
                var nested: [UInt8] = []
                Self.appendJSON(value, to: &nested)
                line.append(contentsOf: nested)
            }
        }
    }

    /// Appends `{"time":...,"level":...,"label":...,"message":...,KEY:...}`, without a line feed.
    ///
    /// A field with the name of one of the first four gets an underscore after its name.
    func appendJSON(to line: inout [UInt8]) {
        line.append(contentsOf: "{\"time\":\"".utf8)
        time.append(to: &line)
        line.append(contentsOf: "\",\"level\":\"".utf8)
        line.append(contentsOf: level.rawValue.utf8)
        line.append(contentsOf: "\",\"label\":".utf8)
        LogEscaping.appendJSON(label, to: &line)
        line.append(contentsOf: ",\"message\":".utf8)
        LogEscaping.appendJSON(message, to: &line)
        for (key, value) in metadata {
            line.append(UInt8(ascii: ","))
            LogEscaping.appendJSON(Self.reserved.contains(key) ? key + "_" : key, to: &line)
            line.append(UInt8(ascii: ":"))
            Self.appendJSON(value, to: &line)
        }
        line.append(UInt8(ascii: "}"))
    }

    private static let reserved = ["time", "level", "label", "message"]

    /// Numbers are written as numbers, other values as strings.
    private static func appendJSON(_ value: Logger.MetadataValue, to line: inout [UInt8]) {
        switch value {
        case .string(let text):
            LogEscaping.appendJSON(text, to: &line)
        case .stringConvertible(let value):
            if let number = value as? Int {
                line.append(contentsOf: number.description.utf8)
            } else if let number = value as? Double, number.isFinite {
                line.append(contentsOf: number.description.utf8)
            } else {
                LogEscaping.appendJSON(value.description, to: &line)
            }
        case .array(let members):
            line.append(UInt8(ascii: "["))
            for (index, member) in members.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                appendJSON(member, to: &line)
            }
            line.append(UInt8(ascii: "]"))
        case .dictionary(let members):
            line.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                LogEscaping.appendJSON(member.key, to: &line)
                line.append(UInt8(ascii: ":"))
                appendJSON(member.value, to: &line)
            }
            line.append(UInt8(ascii: "}"))
        }
    }
}
