import ArgumentParser
import Foundation
import Testing

@testable import MonitorServer

/// Settings that name files which cannot be used: the components that read the files name the setting.
@Suite struct UnusableFileTests {
    /// The error with which `start` fails for settings from the environment.
    private func error(
        _ environment: [String: String], _ start: (Settings) throws -> Void
    ) async throws -> StartError {
        let settings = try await SettingsFixture.settings(environment: environment)
        return try #require(throws: StartError.self) { try start(settings) }
    }

    private func expect(_ error: StartError, names name: String, value: String) {
        #expect(error.exitCode == .validationFailure)
        #expect(error.description.hasPrefix("\(name): '\(value)' cannot be used: "))
        #expect(!error.description.contains { $0.isNewline })
    }

    @Test(arguments: ["/nonexistent/folder", "/dev/null"])
    func `A folder of static files`(path: String) async throws {
        let error = try await error(["NN_MONITOR_STATIC_DIR": path]) {
            _ = try StaticFolder.load($0.listening.staticDir)
        }
        expect(error, names: "NN_MONITOR_STATIC_DIR", value: path)
    }

    @Test(arguments: ["/nonexistent/tokens", "/dev"])
    func `A file of tokens`(path: String) async throws {
        let error = try await error(["NN_MONITOR_AUTH_TOKENS_FILE": path]) { _ = try AccessPolicy($0) }
        expect(error, names: "NN_MONITOR_AUTH_TOKENS_FILE", value: path)
    }

    @Test func `A certificate and a key that do not exist`() async throws {
        let error = try await error([
            "NN_MONITOR_TLS_CERT_FILE": "/nonexistent/cert.pem", "NN_MONITOR_TLS_KEY_FILE": "/nonexistent/key.pem",
        ]) { _ = try TLSSetup($0.tls) }
        #expect(error.exitCode == .validationFailure)
        #expect(error.description.hasPrefix("NN_MONITOR_TLS_"))
        #expect(!error.description.contains { $0.isNewline })
    }
}
