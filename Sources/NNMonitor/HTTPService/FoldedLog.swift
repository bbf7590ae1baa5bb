import Foundations
package import Logging
package import NIOCore

/// Log lines that anybody who reaches the port can cause: at most one for each cause and interval.
///
/// The first line of a cause is written at once. Those that follow within the interval are counted; one line then has the
/// fields of the first of them, `count`, how many there were since the last line, and `total`, since the start.
package final class FoldedLog: Sendable {
    private struct Cause {
        var next: NIODeadline
        var count = 0
        var total = 1
        /// The first line of those that are counted.
        var line: Line?
    }

    private struct Line {
        let level: Logger.Level
        let message: Logger.Message
        var metadata: Logger.Metadata
    }

    /// More causes than this share one.
    private static let maximumCauses = 128

    private let logger: Logger
    private let interval: TimeAmount
    private let clock: @Sendable () -> NIODeadline
    private let causes = Guarded<[String: Cause]>([:])

    /// - Parameters:
    ///   - logger: takes the lines.
    ///   - interval: time between two lines of one cause.
    ///   - clock: the time, monotonic.
    package init(
        logger: Logger, interval: TimeAmount = .minutes(1),
        clock: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.logger = logger
        self.interval = interval
        self.clock = clock
    }

    /// Logs what has happened, or counts it.
    ///
    /// - Parameters:
    ///   - cause: what is counted together. It comes from a fixed set, never from a client.
    ///   - level: the level of the line.
    ///   - message: the message of the line.
    ///   - metadata: the fields of the line.
    package func note(
        _ cause: String, level: Logger.Level, _ message: Logger.Message, metadata: () -> Logger.Metadata
    ) {
        guard self.logger.logLevel <= level else { return }
        let now = self.clock()
        let line = self.causes.withLock { causes -> Line? in
            let known = causes[cause] != nil || causes.count < Self.maximumCauses
            let name = known ? cause : "other"
            guard var found = causes[name] else {
                causes[name] = Cause(next: now + self.interval)
                return Line(level: level, message: message, metadata: metadata())
            }
            found.total += 1
            found.count += 1
            if found.line == nil { found.line = Line(level: level, message: message, metadata: metadata()) }
            let line = now >= found.next ? self.takeLine(of: &found, now: now) : nil
            causes[name] = found
            return line
        }
        if let line { self.write(line) }
    }

    /// Writes the counts of intervals that have ended; of all, when the server stops.
    package func writeCounts(all: Bool = false) {
        let now = self.clock()
        let lines = self.causes.withLock { causes in
            var lines: [Line] = []
            for (name, cause) in causes.sorted(by: { $0.key < $1.key }) where all || now >= cause.next {
                var cause = cause
                if let line = self.takeLine(of: &cause, now: now) { lines.append(line) }
                causes[name] = cause
            }
            return lines
        }
        for line in lines { self.write(line) }
    }

    private func takeLine(of cause: inout Cause, now: NIODeadline) -> Line? {
        guard var line = cause.line else { return nil }
        line.metadata["count"] = .stringConvertible(cause.count)
        line.metadata["total"] = .stringConvertible(cause.total)
        cause.next = now + self.interval
        cause.count = 0
        cause.line = nil
        return line
    }

    private func write(_ line: Line) {
        self.logger.log(level: line.level, line.message, metadata: line.metadata)
    }
}
