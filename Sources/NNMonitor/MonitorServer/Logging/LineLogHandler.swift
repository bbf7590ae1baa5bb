import Logging

/// A log handler that writes each entry as one line of text or JSON.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let now: @Sendable () -> LogTime
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameters:
    ///   - label: The logger's label.
    ///   - level: The lowest severity that is written.
    ///   - format: The format of a line.
    ///   - metadataProvider: Adds fields to each entry.
    ///   - now: The time of an entry.
    ///   - write: Called with each line, which includes its line feed, on any thread.
    init(
        label: String, level: Logger.Level, format: LogFormat, metadataProvider: Logger.MetadataProvider? = nil,
        now: @escaping @Sendable () -> LogTime = { .now() }, write: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.metadataProvider = metadataProvider
        self.now = now
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let entry = LogEntry(
            time: now(), level: event.level, label: label, message: event.message.description,
            metadata: fields(of: event))
        write(entry.line(format))
    }

    /// The fields of the logger, its provider and the entry, sorted by name. Of equal names the last one wins.
    private func fields(of event: LogEvent) -> [(key: String, value: Logger.MetadataValue)] {
        var all = metadata
        if let provided = metadataProvider?.get(), !provided.isEmpty {
            all.merge(provided) { _, later in later }
        }
        if let own = event.metadata, !own.isEmpty {
            all = all.isEmpty ? own : all.merging(own) { _, later in later }
        }
        if let error = event.error, all["error"] == nil {
            all["error"] = "\(error)"
        }
        guard !all.isEmpty else { return [] }
        return all.sorted { $0.key < $1.key }
    }
}
