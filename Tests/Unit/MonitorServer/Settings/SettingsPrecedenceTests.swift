import ArgumentParser
import Testing

@testable import MonitorServer

@Suite struct SettingsPrecedenceTests {
    @Test func `An option wins over the environment, and the environment over the file`() async throws {
        let text = "NN_MONITOR_MAX_RUNS=3\nNN_MONITOR_PORT=3\nNN_MONITOR_THREADS=3\n"
        try await SettingsFixture.withFile(text) { file in
            let settings = try await SettingsFixture.settings(
                options: [SettingsTable.maxRuns.facts: "1"],
                environment: ["NN_MONITOR_MAX_RUNS": "2", "NN_MONITOR_PORT": "2"], file: file)
            #expect(settings.maxRuns == 1)
            #expect(settings.port == 2)
            #expect(settings.threads == 3)
            #expect(settings.maxStepsPerRun == 1000)
        }
    }

    @Test(arguments: SettingsTable.all)
    func `The value that counts is known with its source, for every setting`(facts: SettingFacts) async throws {
        let name = facts.environmentName
        try await SettingsFixture.withFile("\(name)=c\n") { file in
            var sources = try await SettingsFixture.sources(file: file)
            #expect(sources.given(facts)?.text == "c")
            #expect(sources.given(facts)?.source == .file(file))
            sources = try await SettingsFixture.sources(environment: [name: "b"], file: file)
            #expect(sources.given(facts)?.text == "b")
            #expect(sources.given(facts)?.source == .environment)
            sources = try await SettingsFixture.sources(options: [facts: "a"], environment: [name: "b"], file: file)
            #expect(sources.given(facts)?.text == "a")
            #expect(sources.given(facts)?.source == .option(facts.optionName))
            sources = try await SettingsFixture.sources()
            #expect(sources.given(facts) == nil)
        }
    }

    @Test func `An invalid value that is overridden stops nothing`() async throws {
        let settings = try await SettingsFixture.settings(
            options: [SettingsTable.maxRuns.facts: "5"], environment: ["NN_MONITOR_MAX_RUNS": "ten"])
        #expect(settings.maxRuns == 5)
    }

    @Test func `An empty variable switches off what the file sets, where none is allowed`() async throws {
        try await SettingsFixture.withFile("NN_MONITOR_AUTH_TOKEN=abc\nNN_MONITOR_STATIC_DIR=/x\n") { file in
            let settings = try await SettingsFixture.settings(
                environment: ["NN_MONITOR_AUTH_TOKEN": ""], file: file)
            #expect(settings.authToken == nil)
            #expect(settings.staticDir == "/x")
        }
    }

    @Test func `Comments, blank lines and space around names and values are dropped in the file`() async throws {
        try await SettingsFixture.withFile("# a comment\n\n  NN_MONITOR_MAX_RUNS = 7  \nno setting\n") { file in
            let settings = try await SettingsFixture.settings(file: file)
            #expect(settings.maxRuns == 7)
        }
    }

    @Test func `A file with Windows line ends, a byte order mark, or that is a folder stops the start`() async throws {
        for text in ["# comment\r\nNN_MONITOR_AUTH_TOKEN=secret\r\n", "\u{FEFF}NN_MONITOR_AUTH_TOKEN=secret\n"] {
            try await SettingsFixture.withFile(text) { file in
                let refusal = try #require(await SettingsFixture.refusal(file: file))
                #expect(refusal.hasPrefix(file) && !refusal.contains("secret") && !refusal.contains("\n"))
            }
        }
        let refusal = try #require(await SettingsFixture.refusal(file: "/"))
        #expect(refusal.hasPrefix("/: can't be read") && !refusal.contains("\n"))
    }
}
