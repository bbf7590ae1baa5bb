import ArgumentParser

/// Every setting of the server, by topic. To add a setting, declare it in the struct of its topic.
struct Settings: ParsableArguments, Sendable {
    @OptionGroup(title: "Listening") var listening: ListeningSettings
    @OptionGroup(title: "Stored metrics") var storage: StorageSettings
    @OptionGroup(title: "Layer health") var health: HealthSettings
    @OptionGroup(title: "Requests") var requests: RequestSettings
    @OptionGroup(title: "Connections") var connections: ConnectionSettings
    @OptionGroup(title: "WebSocket") var webSocket: WebSocketSettings
    @OptionGroup(title: "Security") var security: SecuritySettings
    @OptionGroup(title: "TLS") var tls: TLSSettings
    @OptionGroup(title: "Logs") var logs: LogSettings

    private var topics: [any SettingsTopic] {
        [listening, storage, health, requests, connections, webSocket, security, tls, logs]
    }

    private mutating func readTopics(with reader: inout SettingsReader) throws(SettingsError) {
        try listening.read(with: &reader)
        try storage.read(with: &reader)
        try health.read(with: &reader)
        try requests.read(with: &reader)
        try connections.read(with: &reader)
        try webSocket.read(with: &reader)
        try security.read(with: &reader)
        try tls.read(with: &reader)
        try logs.read(with: &reader)
    }

    /// Reads every setting, then checks the rules between settings.
    ///
    /// - Throws: The ``SettingsError`` of the first value that is not allowed, or of the first rule that is violated.
    mutating func read(from sources: SettingsSources) throws(SettingsError) {
        var reader = SettingsReader(sources: sources)
        try readTopics(with: &reader)
        for topic in topics { try topic.check() }
    }

    /// All settings, in the order of the help and of CONFIGURATION.md.
    var descriptors: [SettingDescriptor] {
        var reader = SettingsReader(sources: nil)
        var copy = self
        // Listing does not read values, so it does not throw.
        try? copy.readTopics(with: &reader)
        return reader.descriptors
    }

    /// Sentences to log at start about settings that are valid but unsafe or without effect.
    var warnings: [String] { topics.flatMap(\.warnings) }
}
