import Dispatch
import Foundations
import Logging

/// Takes log lines on any thread without waiting, and writes them in their order on a thread of its own.
///
/// Whoever reads the log may stop: a terminal on hold, a pipe into a program that hangs, a slow disk. Requests go on all
/// the same. What waits is bounded; lines that come when there is no room are lost, and a line says how many.
final class LogQueue: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        /// Bytes that are being written.
        var leaving = 0
        var lost = 0
        var isWriting = false
    }

    private let output: LogOutput
    private let limit: Int
    private let lossLine: @Sendable (Int) -> [UInt8]
    private let state = Guarded(State())
    private let writer = DispatchQueue(label: "log")

    /// - Parameters:
    ///   - output: Where the lines go.
    ///   - limit: Bytes of lines that wait at most.
    ///   - lossLine: Makes the line that tells how many were lost.
    init(output: LogOutput, limit: Int, lossLine: @escaping @Sendable (Int) -> [UInt8]) {
        self.output = output
        self.limit = limit
        self.lossLine = lossLine
    }

    /// Makes standard error, by a queue, the output of every logger of the process. To be called once, before the first
    /// logger.
    static func bootstrap(level: Logger.Level, format: LogFormat, limit: Int) -> LogQueue {
        let queue = LogQueue(output: .standardError, limit: limit) { count in
            LogEntry(
                time: .now(), level: .warning, label: "nnmonitor",
                message: "log lines were lost: nobody took them in time",
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

    /// Takes one line, line feed included.
    func put(_ line: [UInt8]) {
        let begins = state.withLock { state in
            guard state.waiting.count + state.leaving + line.count <= limit else {
                state.lost += 1
                return false
            }
            state.waiting += line
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { writer.async { self.write() } }
    }

    /// Waits until what was put before is written, but no longer than `time`: nobody may be reading.
    func flush(within time: DispatchTimeInterval = .seconds(2)) {
        let written = DispatchSemaphore(value: 0)
        writer.async { written.signal() }
        _ = written.wait(timeout: .now() + time)
    }

    /// Writes until nothing waits.
    private func write() {
        while let (lines, lost) = next() {
            output.put(lines)
            // They were lost while these were written, and came after them.
            if lost > 0 { output.put(lossLine(lost)) }
        }
    }

    private func next() -> (lines: [UInt8], lost: Int)? {
        state.withLock { state in
            state.leaving = state.waiting.count
            guard state.leaving > 0 || state.lost > 0 else {
                state.isWriting = false
                return nil
            }
            defer { (state.waiting, state.lost) = ([], 0) }
            return (state.waiting, state.lost)
        }
    }
}
