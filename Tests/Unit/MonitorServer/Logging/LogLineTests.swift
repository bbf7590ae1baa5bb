import Foundation
import Logging
import Foundations
import Testing

@testable import MonitorServer

@Suite struct LogLineTests {
    /// Collects the lines of one logger.
    private final class Lines: Sendable {
        private let lines = Locked<[String]>([])
        func append(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        var all: [String] { lines.withLock { $0 } }
    }

    /// 2026-02-10T12:34:56.789Z.
    private static let time = LogTime(milliseconds: 1_770_726_896_789)

    private static func lines(
        _ format: LogFormat, level: Logger.Level = .info, provider: Logger.MetadataProvider? = nil,
        _ body: (inout Logger) -> Void
    ) -> [String] {
        let lines = Lines()
        var logger = Logger(label: "nnmonitor") { label in
            LineLogHandler(
                label: label, level: level, format: format, metadataProvider: provider, now: { time },
                write: lines.append)
        }
        body(&logger)
        return lines.all
    }

    @Test func `A line of text has time, level, label, message and the fields sorted by name`() {
        let lines = Self.lines(.text) { logger in
            logger.info(
                "Listening", metadata: ["port": "\(8000)", "address": "127.0.0.1", "n": .stringConvertible(2.5)])
            logger.error("Bare")
        }
        #expect(
            lines == [
                "2026-02-10T12:34:56.789Z info nnmonitor: Listening address=127.0.0.1 n=2.5 port=8000\n",
                "2026-02-10T12:34:56.789Z error nnmonitor: Bare\n",
            ])
    }

    @Test func `A line of JSON is one object, with numbers as numbers`() throws {
        let lines = Self.lines(.json) { logger in
            logger.info(
                "Request \"done\"",
                metadata: [
                    "status": .stringConvertible(200), "ratio": .stringConvertible(0.5),
                    "bad": .stringConvertible(Double.nan), "path": "/a\\b\n", "list": ["a", ["k": "v"]],
                    "message": "taken", "id": "\u{1b}[31m\u{85}\u{2028}\u{202E}é€😀",
                ])
        }
        let line = try #require(lines.first)
        #expect(
            line == #"{"time":"2026-02-10T12:34:56.789Z","level":"info","label":"nnmonitor","#
                + #""message":"Request \"done\"","bad":"nan","id":"\u001b[31m\u0085\u2028\u202eé€😀","#
                + #""list":["a",{"k":"v"}],"message_":"taken","path":"/a\\b\n","ratio":0.5,"status":200}"# + "\n")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["path"] as? String == "/a\\b\n")
        #expect(object["id"] as? String == "\u{1b}[31m\u{85}\u{2028}\u{202E}é€😀")
    }

    @Test func `Logged text cannot start a new line or move the cursor`() {
        let hostile = "a\r\n2026 info forged: b\u{1b}[2J\u{7f}\u{9b}\u{2029}\u{2066}é…"
        let lines = Self.lines(.text) { logger in
            logger.info("\(hostile)", metadata: ["run": "\(hostile)", "nested": [["\(hostile)": "\(hostile)"]]])
        }
        #expect(lines.count == 1)
        let line = lines.joined()
        #expect(line.dropLast().unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        #expect(
            line.hasPrefix(
                "2026-02-10T12:34:56.789Z info nnmonitor: "
                    + #"a\r\n2026 info forged: b\u{1b}[2J\u{7f}\u{9b}\u{2029}\u{2066}é…"#))
        #expect(line.contains(#" run="a\r\n2026 info forged: b\u{1b}[2J\u{7f}\u{9b}\u{2029}\u{2066}é…""#))
    }

    @Test(arguments: [
        ("plain/path?x", "plain/path?x"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
        ("say \"hi\"", #""say \"hi\"""#), ("back\\slash", #""back\\slash""#), ("tab\t", #""tab\t""#),
        ("größe", "größe"),
    ])
    func `A text value is quoted if necessary`(value: String, written: String) {
        let lines = Self.lines(.text) { $0.info("m", metadata: ["k": "\(value)"]) }
        #expect(lines == ["2026-02-10T12:34:56.789Z info nnmonitor: m k=\(written)\n"])
    }

    @Test func `Fields of the entry override the provider's, which override the logger's`() {
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider"] }
        let lines = Self.lines(.text, provider: provider) { logger in
            logger[metadataKey: "a"] = "logger"
            logger[metadataKey: "c"] = "logger"
            logger.info("m", metadata: ["b": "entry"])
        }
        #expect(lines == ["2026-02-10T12:34:56.789Z info nnmonitor: m a=provider b=entry c=logger\n"])
    }

    @Test func `Entries below the level are not written`() {
        let lines = Self.lines(.text, level: .warning) { logger in
            logger.info("no")
            logger.warning("yes")
        }
        #expect(lines.count == 1)
    }

    @Test func `Times agree with the calendar, leap days and years before 1970 included`() throws {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        var moments: [Int64] = [0, -1, 951_782_399_999, 951_782_400_000, 4_107_542_400_000, 1_709_164_800_123]
        // Every 40 days and some hours of 1900 to 2100.
        moments += stride(from: -2_208_988_800_000, to: 4_102_444_800_000, by: 3_500_123_457)
        for moment in moments {
            var line: [UInt8] = []
            LogTime(milliseconds: moment).append(to: &line)
            let date = Date(timeIntervalSince1970: Double(moment) / 1000)
            let parsed = try #require(formatter.date(from: String(decoding: line, as: UTF8.self)))
            #expect(abs(parsed.timeIntervalSince(date)) < 0.000_5, "\(moment)")
        }
    }

    @Test func `Lines written by many threads do not mix`() async throws {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let (received, whole) = AsyncStream.makeStream(of: Data.self)
        Thread.detachNewThread {
            whole.yield(pipe.fileHandleForReading.readDataToEndOfFile())
            whole.finish()
        }

        let (ended, threads) = AsyncStream.makeStream(of: Void.self)
        let letters = UInt8(ascii: "a")...UInt8(ascii: "h")
        for letter in letters {
            Thread.detachNewThread {
                // Longer than a pipe's buffer (64 KiB), so without the lock the lines would mix.
                for _ in 0..<3 { output.put([UInt8](repeating: letter, count: 100_000) + [UInt8(ascii: "\n")]) }
                threads.yield()
            }
        }
        for await _ in ended.prefix(letters.count) {}
        try pipe.fileHandleForWriting.close()

        let lines = await received.reduce(into: Data()) { $0 += $1 }.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 24)
        #expect(lines.allSatisfy { line in line.count == 100_000 && line.allSatisfy { $0 == line.first } })
    }
}
