import Foundations
package import Logging
package import NIOCore

/// A log for lines that unauthenticated clients can cause: at most one line per cause and interval.
///
/// The first line of a cause is written at once. Lines within the interval after a line are counted; the next line
/// written has the fields of the first counted one, `count` (lines since the last one written) and `total` (lines since
/// the start).
package final class FoldedLog: Sendable {
    private struct Cause {
        var next: NIODeadline
        var count = 0
        var total = 1
        /// The first counted line.
        var line: Line?
    }

    private struct Line {
        let level: Logger.Level
        let message: Logger.Message
        var metadata: Logger.Metadata
    }

    /// The maximum number of causes. Further ones share the cause `other`.
    private static let maximumCauses = 128

    private let logger: Logger
    private let interval: TimeAmount
    private let clock: @Sendable () -> NIODeadline
    private let causes = Locked<[String: Cause]>([:])

    /// Creates a log.
    ///
    /// - Parameters:
    ///   - logger: receives the lines.
    ///   - interval: the minimum time between two lines of one cause.
    ///   - clock: the monotonic time.
    package init(
        logger: Logger, interval: TimeAmount = .minutes(1),
        clock: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.logger = logger
        self.interval = interval
        self.clock = clock
    }

    /// Writes or counts a line.
    ///
    /// - Parameters:
    ///   - cause: the key under which lines are counted. It must come from a fixed set, never from a client.
    ///   - level: the level of the line.
    ///   - message: the message of the line.
    ///   - metadata: the fields of the line. Called only if they are needed.
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

    /// Writes the counts of the intervals that have ended.
    ///
    /// - Parameter all: write every count, when the server stops.
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
