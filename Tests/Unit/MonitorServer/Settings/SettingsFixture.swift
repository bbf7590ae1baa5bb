import ArgumentParser
import Foundation

@testable import MonitorServer

/// Reads settings the way the command does, but from given texts instead of the process's environment and `.env`.
enum SettingsFixture {
    static let noFile = "/nonexistent/.env"

    /// All settings; empty if the command cannot be parsed, which `SettingsAgreementTests` rules out.
    static let descriptors = (try? withoutOptions.get())?.descriptors ?? []

    private static let withoutOptions = Result { try ServeCommand.parse([]).settings }

    /// `options` are texts by setting name without prefix, each given as `--option text`; `environment` has full names;
    /// `file` is the path of the `.env` file.
    static func read(
        options: [String: String] = [:], environment: [String: String] = [:], file: String = noFile
    ) async throws -> (settings: Settings, sources: SettingsSources) {
        let arguments = options.flatMap { name, text in
            ["--" + name.lowercased().replacing("_", with: "-"), text]
        }
        // Parsing takes tens of milliseconds in a debug build, so the result without options is shared.
        var settings = arguments.isEmpty ? try withoutOptions.get() : try ServeCommand.parse(arguments).settings
        let sources = try await SettingsSources(for: settings.descriptors, environment: environment, file: file)
        try settings.read(from: sources)
        return (settings, sources)
    }

    static func settings(
        options: [String: String] = [:], environment: [String: String] = [:], file: String = noFile
    ) async throws -> Settings {
        try await read(options: options, environment: environment, file: file).settings
    }

    /// The message of the error that reading throws; nil when it succeeds.
    static func refusal(
        options: [String: String] = [:], environment: [String: String] = [:], file: String = noFile
    ) async -> String? {
        do {
            _ = try await read(options: options, environment: environment, file: file)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Runs `body` with the path of a file that contains `text`.
    static func withFile<Result>(_ text: String, body: (String) async throws -> Result) async throws -> Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("nnmonitor-\(UUID().uuidString).env")
        try Data(text.utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        return try await body(path.path)
    }
}
