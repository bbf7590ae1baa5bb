import Dispatch
import Foundations
import Logging

/// Accepts log lines on any thread without blocking, and writes them in order on a thread of its own.
///
/// The reader of the log may stop reading: a paused terminal, a pipe into a hung program, a slow disk. Requests
/// continue regardless. The queue is bounded: lines beyond its limit are dropped, and a later line reports how many.
final class LogQueue: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        /// Bytes being written.
        var writing = 0
        var lost = 0
        var isWriting = false
    }

    private let output: LogOutput
    private let limit: Int
    private let lossLine: @Sendable (Int) -> [UInt8]
    private let state = Locked(State())
    private let writer = DispatchQueue(label: "log")

    /// - Parameters:
    ///   - output: Where the lines are written.
    ///   - limit: Bytes of lines that may wait.
    ///   - lossLine: Makes the line that reports how many lines were lost.
    init(output: LogOutput, limit: Int, lossLine: @escaping @Sendable (Int) -> [UInt8]) {
        self.output = output
        self.limit = limit
        self.lossLine = lossLine
    }

    /// Makes a queue to standard error the output of every logger of the process. Call it once, before the first logger
    /// is created.
    static func bootstrap(level: Logger.Level, format: LogFormat, limit: Int) -> LogQueue {
        let queue = LogQueue(output: .standardError, limit: limit) { count in
            LogEntry(
                time: .now(), level: .warning, label: "nnmonitor",
                message: "log lines were lost: the output was not read fast enough",
                metadata: [("count", "\(count)")]
            ).line(format)
        }
        LoggingSystem.bootstrap(
            { label, provider in
                LineLogHandler(
                    label: label, level: level, format: format, metadataProvider: provider, write: queue.put)
            }, metadataProvider: nil)
        return queue
    }

    /// Queues one line, which includes its line feed.
    func put(_ line: [UInt8]) {
        let begins = state.withLock { state in
            guard state.waiting.count + state.writing + line.count <= limit else {
                state.lost += 1
                return false
            }
            state.waiting += line
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { writer.async { self.write() } }
    }

    /// Waits until all lines queued before are written, but at most `time`, because the output may not be read at all.
    func flush(within time: DispatchTimeInterval = .seconds(2)) {
        let written = DispatchSemaphore(value: 0)
        writer.async { written.signal() }
        _ = written.wait(timeout: .now() + time)
    }

    /// Writes until the queue is empty.
    private func write() {
        while let (lines, lost) = next() {
            output.put(lines)
            // The lost lines are newer than these: the queue was full with these.
            if lost > 0 { output.put(lossLine(lost)) }
        }
    }

    private func next() -> (lines: [UInt8], lost: Int)? {
        state.withLock { state in
            state.writing = state.waiting.count
            guard state.writing > 0 || state.lost > 0 else {
                state.isWriting = false
                return nil
            }
            defer { (state.waiting, state.lost) = ([], 0) }
            return (state.waiting, state.lost)
        }
    }
}
