import ArgumentParser
import Logging

/// What is logged, and how.
struct LogSettings: SettingsTopic {
    @Option(
        setting: "LOG_LEVEL", .oneOf, default: .info, "Lowest severity of the entries that are logged.")
    var level: Setting<Logger.Level>

    @Option(
        setting: "LOG_FORMAT", .oneOf, default: .text,
        "Format of a log entry: a line of text, or one JSON object per line.")
    var format: Setting<LogFormat>

    @Option(
        setting: "LOG_BUFFER", .bytes(65_536...1_073_741_824), default: 1_048_576,
        "Bytes of log lines that may wait for a slow reader. Above it, lines are dropped and counted.")
    var buffer: Setting<Int>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&level)
        try reader.read(&format)
        try reader.read(&buffer)
    }
}

/// The format of a log entry.
enum LogFormat: String, Sendable, CaseIterable {
    case text
    case json
}
