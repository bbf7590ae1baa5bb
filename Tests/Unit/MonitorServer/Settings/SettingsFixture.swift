import Foundation

@testable import MonitorServer

/// Reads settings from texts, without the process's environment and without the working directory's `.env`.
enum SettingsFixture {
    static func sources(
        options: [SettingFacts: String] = [:], environment: [String: String] = [:], file: String = "/nonexistent/.env"
    ) async throws -> SettingsSources {
        try await SettingsSources(options: options, environment: environment, file: file)
    }

    static func settings(
        options: [SettingFacts: String] = [:], environment: [String: String] = [:], file: String = "/nonexistent/.env"
    ) async throws -> Settings {
        try Settings(from: try await sources(options: options, environment: environment, file: file))
    }

    /// The error with which reading ends, as text; nil when it succeeds.
    static func refusal(
        options: [SettingFacts: String] = [:], environment: [String: String] = [:], file: String = "/nonexistent/.env"
    ) async -> String? {
        do {
            _ = try await settings(options: options, environment: environment, file: file)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Runs `body` with the path of a file that holds `text`.
    static func withFile<Result>(_ text: String, body: (String) async throws -> Result) async throws -> Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("nnmonitor-\(UUID().uuidString).env")
        try Data(text.utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        return try await body(path.path)
    }
}
