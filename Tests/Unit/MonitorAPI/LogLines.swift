import Foundations
import Logging

/// A log handler that keeps the lines: the level, then the metadata in alphabetical order.
struct LogLines: LogHandler {
    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    final class Lines: Sendable {
        private let all = Locked<[String]>([])

        /// The lines logged since the last call.
        func take() -> [String] {
            all.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }

        fileprivate func append(_ line: String) { all.withLock { $0.append(line) } }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        lines.append("\(event.level) " + fields.joined(separator: " "))
    }
}
