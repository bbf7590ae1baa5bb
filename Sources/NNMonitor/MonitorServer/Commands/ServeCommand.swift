package import ArgumentParser
import Logging

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `NNMonitor`: reads the settings and runs the server.
package struct ServeCommand: AsyncParsableCommand {
    /// The command's name, help text and subcommands.
    package static let configuration = CommandConfiguration(
        commandName: "NNMonitor",
        abstract: "Shows the training of neural networks while it runs.",
        usage: """
            NNMonitor [<options>]
            NNMonitor token --name <name> --scopes <scopes>
            """,
        discussion: """
            Every option can also be set by an environment variable, or by a line in the file .env in the working \
            directory, under the NN_MONITOR_ name shown with it. An option overrides the environment, which overrides \
            .env. Times are in seconds, sizes in bytes. CONFIGURATION.md describes the settings in detail.
            """,
        subcommands: [TokenCommand.self])

    @OptionGroup var settings: Settings

    /// Creates the command with default settings, which ArgumentParser then fills.
    package init() {}

    /// Reads the settings and runs the server until it is stopped.
    ///
    /// - Throws: `ExitCode` for invalid settings or a failed start.
    package mutating func run() async throws {
        let descriptors = settings.descriptors
        let sources: SettingsSources
        do {
            sources = try await SettingsSources(
                for: descriptors, environment: ProcessInfo.processInfo.environment, file: ".env")
            try settings.read(from: sources)
        } catch {
            LogOutput.standardError.put(Array("\(error)\n".utf8))
            throw ExitCode.validationFailure
        }

        let log = LogQueue.bootstrap(
            level: settings.logs.level.value, format: settings.logs.format.value, limit: settings.logs.buffer.value)
        defer { log.flush() }
        let logger = Logger(label: "nnmonitor")
        for warning in SettingsWarnings.all(for: settings, from: sources) {
            logger.warning("\(warning)")
        }
        do {
            try await Application.run(settings: settings)
        } catch let error as StartError {
            log.put(Array("\(error)\n".utf8))
            throw error.exitCode
        }
    }
}
