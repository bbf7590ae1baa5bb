package import ArgumentParser
import Logging

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `NNMonitor`: reads the settings and runs the server.
package struct ServeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "NNMonitor",
        abstract: "Watches neural networks while they train.",
        usage: """
            NNMonitor [<options>]
            NNMonitor token --name <name> --scopes <scopes>
            """,
        discussion: """
            Every option is also an environment variable and a line in .env in the working directory, under the name \
            given with it. The option wins over the environment, the environment over .env. Times are in seconds, \
            sizes in bytes. CONFIGURATION.md has more on each.
            """,
        subcommands: [TokenCommand.self])

    @OptionGroup(title: "Listening") var listening: ListeningOptions
    @OptionGroup(title: "Stored metrics") var storage: StorageOptions
    @OptionGroup(title: "Requests") var requests: RequestOptions
    @OptionGroup(title: "Connections") var connections: ConnectionOptions
    @OptionGroup(title: "WebSocket") var webSocket: WebSocketOptions
    @OptionGroup(title: "Security") var security: SecurityOptions
    @OptionGroup(title: "TLS") var tls: TLSOptions
    @OptionGroup(title: "Logs") var logs: LogOptions

    /// What was given on the command line, by setting.
    var given: [SettingFacts: String] {
        let themes: [any SettingOptions] = [
            listening, storage, requests, connections, webSocket, security, tls, logs,
        ]
        let texts = themes.flatMap(\.texts).compactMap { facts, text in text.map { (facts, $0) } }
        return Dictionary(texts) { _, last in last }
    }

    package init() {}

    package func run() async throws {
        let settings: Settings
        let warnings: [String]
        do {
            let sources = try await SettingsSources(
                options: given, environment: ProcessInfo.processInfo.environment, file: ".env")
            settings = try Settings(from: sources)
            warnings = SettingsWarnings.all(for: settings, from: sources)
        } catch {
            LogOutput.standardError.put(Array("\(error)\n".utf8))
            throw ExitCode.validationFailure
        }

        let log = LogQueue.bootstrap(
            level: settings.logLevel, format: settings.logFormat, limit: settings.logBuffer)
        defer { log.flush() }
        let logger = Logger(label: "nnmonitor")
        for warning in warnings { logger.warning("\(warning)") }
        do {
            try await Application.run(settings: settings)
        } catch let error as StartError {
            log.put(Array("\(error)\n".utf8))
            throw error.exitCode
        }
    }
}
