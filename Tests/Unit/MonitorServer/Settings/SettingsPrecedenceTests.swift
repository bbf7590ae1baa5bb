import ArgumentParser
import Testing

@testable import MonitorServer

@Suite struct SettingsPrecedenceTests {
    @Test func `An option wins over the environment, and the environment over the file`() async throws {
        let text = "NN_MONITOR_MAX_RUNS=3\nNN_MONITOR_PORT=3\nNN_MONITOR_THREADS=3\n"
        try await SettingsFixture.withFile(text) { file in
            let settings = try await SettingsFixture.settings(
                options: ["MAX_RUNS": "1"],
                environment: ["NN_MONITOR_MAX_RUNS": "2", "NN_MONITOR_PORT": "2"], file: file)
            #expect(settings.storage.maxRuns.value == 1)
            #expect(settings.storage.maxRuns.source == .option("max-runs"))
            #expect(settings.listening.port.value == 2)
            #expect(settings.listening.port.source == .environment)
            #expect(settings.listening.threads.value == 3)
            #expect(settings.listening.threads.source == .file(file))
            #expect(settings.storage.maxStepsPerRun.value == 1000)
            #expect(settings.storage.maxStepsPerRun.source == .builtIn)
        }
    }

    /// No setting allows this text.
    private static let invalid = "\u{1}"

    @Test(arguments: SettingsFixture.descriptors)
    func `Of several sources, the first in order counts, for every setting`(setting: SettingDescriptor) async throws {
        let name = setting.environmentName
        func source(options: [String: String] = [:], environment: [String: String] = [:], file: String) async -> String
        {
            let refusal = await SettingsFixture.refusal(options: options, environment: environment, file: file)
            return refusal.flatMap { $0.firstMatch(of: /\((from .+)\) is not allowed/).map { String($0.1) } } ?? "none"
        }
        try await SettingsFixture.withFile("\(name)=\(Self.invalid)\n") { file in
            #expect(await source(file: file) == "from \(file)")
            #expect(await source(environment: [name: Self.invalid], file: file) == "from the environment")
            #expect(
                await source(
                    options: [setting.name: Self.invalid], environment: [name: Self.invalid], file: file)
                    == "from the option --\(setting.optionName)")
        }
    }

    @Test func `An invalid value is ignored when another source takes precedence`() async throws {
        try await SettingsFixture.withFile("NN_MONITOR_MAX_RUNS=eleven\nNN_MONITOR_PORT=http\n") { file in
            let settings = try await SettingsFixture.settings(
                options: ["MAX_RUNS": "5"], environment: ["NN_MONITOR_MAX_RUNS": "ten", "NN_MONITOR_PORT": "1"],
                file: file)
            #expect(settings.storage.maxRuns.value == 5)
            #expect(settings.listening.port.value == 1)
        }
    }

    @Test func `An option accepts text that begins with a dash, and passes it to the check`() async throws {
        var settings = try ServeCommand.parse(["--max-runs", "-1"]).settings
        let sources = try await SettingsSources(for: settings.descriptors, environment: [:], file: "/nonexistent")
        #expect(throws: SettingsError.self) { try settings.read(from: sources) }
    }

    @Test(arguments: [["--max-run", "5"], ["--max-runs"], ["extra"]])
    func `An unknown option, an option without value and an argument end with exit code 64`(arguments: [String]) {
        do {
            _ = try ServeCommand.parse(arguments)
            Issue.record("\(arguments) are accepted")
        } catch {
            #expect(ServeCommand.exitCode(for: error) == .validationFailure)
        }
    }

    @Test func `An empty variable unsets what the file sets, where the default is none`() async throws {
        try await SettingsFixture.withFile("NN_MONITOR_AUTH_TOKEN=abc\nNN_MONITOR_STATIC_DIR=/x\n") { file in
            let settings = try await SettingsFixture.settings(
                environment: ["NN_MONITOR_AUTH_TOKEN": ""], file: file)
            #expect(settings.security.authToken.value == nil)
            #expect(settings.listening.staticDir.value == "/x")
        }
    }

    @Test func `Comments, blank lines and space around names and values are ignored in the file`() async throws {
        try await SettingsFixture.withFile("# a comment\n\n  NN_MONITOR_MAX_RUNS = 7  \nno setting\n") { file in
            let settings = try await SettingsFixture.settings(file: file)
            #expect(settings.storage.maxRuns.value == 7)
        }
    }

    @Test func `A file with Windows line ends or a byte order mark, or a folder in its place, is refused`()
        async throws
    {
        for text in ["# comment\r\nNN_MONITOR_AUTH_TOKEN=secret\r\n", "\u{FEFF}NN_MONITOR_AUTH_TOKEN=secret\n"] {
            try await SettingsFixture.withFile(text) { file in
                let refusal = try #require(await SettingsFixture.refusal(file: file))
                #expect(refusal.hasPrefix(file) && !refusal.contains("secret") && !refusal.contains("\n"))
            }
        }
        let refusal = try #require(await SettingsFixture.refusal(file: "/"))
        #expect(refusal.hasPrefix("/: cannot be read") && !refusal.contains("\n"))
    }
}
