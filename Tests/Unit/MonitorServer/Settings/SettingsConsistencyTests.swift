import Testing

@testable import MonitorServer

@Suite struct SettingsConsistencyTests {
    @Test func `Certificate and key are given both or none`() async throws {
        let certificateOnly = try #require(
            await SettingsFixture.refusal(environment: ["NN_MONITOR_TLS_CERT_FILE": "c"]))
        #expect(certificateOnly.hasPrefix("NN_MONITOR_TLS_KEY_FILE: no value is not allowed: TLS_CERT_FILE is set"))
        let keyOnly = try #require(await SettingsFixture.refusal(environment: ["NN_MONITOR_TLS_KEY_FILE": "k"]))
        #expect(keyOnly.hasPrefix("NN_MONITOR_TLS_CERT_FILE: no value is not allowed: TLS_KEY_FILE is set"))
        let both = try await SettingsFixture.settings(
            environment: ["NN_MONITOR_TLS_CERT_FILE": "c", "NN_MONITOR_TLS_KEY_FILE": "k"])
        #expect(both.usesTLS)
    }

    @Test func `All bodies together have room for one`() async throws {
        var environment = ["NN_MONITOR_MAX_BODY_MEMORY": "1999999"]
        let refusal = try #require(await SettingsFixture.refusal(environment: environment))
        #expect(
            refusal.hasPrefix(
                "NN_MONITOR_MAX_BODY_MEMORY: '1999999' (from the environment) is not allowed: MAX_REQUEST_SIZE is 2000000"
            ))
        environment["NN_MONITOR_MAX_BODY_MEMORY"] = "2000000"
        #expect(try await SettingsFixture.settings(environment: environment).maxBodyMemory == 2_000_000)
    }

    @Test func `The certificate of our own making excludes another`() async throws {
        let environment = [
            "NN_MONITOR_TLS_CERT_FILE": "c", "NN_MONITOR_TLS_KEY_FILE": "k", "NN_MONITOR_TLS": "dev",
        ]
        let refusal = try #require(await SettingsFixture.refusal(environment: environment))
        #expect(refusal.hasPrefix("NN_MONITOR_TLS: 'dev' (from the environment) is not allowed: TLS_CERT_FILE is set"))
        #expect(try await SettingsFixture.settings(environment: ["NN_MONITOR_TLS": "dev"]).usesTLS)
    }

    @Test func `Client certificates need TLS`() async throws {
        var environment = ["NN_MONITOR_TLS_CLIENT_CA_FILE": "ca"]
        let refusal = try #require(await SettingsFixture.refusal(environment: environment))
        #expect(
            refusal.hasPrefix("NN_MONITOR_TLS_CLIENT_CA_FILE: 'ca' (from the environment) is not allowed: it needs"))
        environment["NN_MONITOR_TLS"] = "dev"
        #expect(try await SettingsFixture.settings(environment: environment).tlsClientCAFile == "ca")
    }

    @Test func `TLS off by hand leaves certificates unused, with a warning`() async throws {
        let sources = try await SettingsFixture.sources(environment: [
            "NN_MONITOR_TLS_CERT_FILE": "c", "NN_MONITOR_TLS_KEY_FILE": "k", "NN_MONITOR_TLS": "off",
        ])
        let settings = try Settings(from: sources)
        #expect(!settings.usesTLS)
        #expect(SettingsWarnings.all(for: settings, from: sources).count == 1)
    }

    @Test func `Authentication off by hand with tokens configured gets a warning`() async throws {
        let sources = try await SettingsFixture.sources(environment: [
            "NN_MONITOR_AUTH": "off", "NN_MONITOR_AUTH_TOKEN": "s3cret",
        ])
        let warnings = SettingsWarnings.all(for: try Settings(from: sources), from: sources)
        #expect(
            warnings.count == 1 && warnings[0].hasPrefix("NN_MONITOR_AUTH is off") && !warnings[0].contains("s3cret"))
    }

    @Test func `Unknown names in the environment and the file get a warning with the nearest name`() async throws {
        let text = "NN_MONITOR_MAXRUNS=1\nexport NN_MONITOR_PORT=1\nnn_monitor_host=a\nOTHER=1\n#NN_MONITOR_X=1\n"
        try await SettingsFixture.withFile(text) { file in
            let sources = try await SettingsFixture.sources(
                environment: ["NN_MONITOR_LOG_LEVLE": "info", "PATH": "/bin", "NN_MONITOR_TLS": "dev"], file: file)
            let warnings = SettingsWarnings.all(for: try Settings(from: sources), from: sources)
            #expect(
                Set(warnings) == [
                    "NN_MONITOR_LOG_LEVLE (from the environment) is not a setting; the nearest is NN_MONITOR_LOG_LEVEL",
                    "NN_MONITOR_MAXRUNS (from \(file)) is not a setting; the nearest is NN_MONITOR_MAX_RUNS",
                    "export NN_MONITOR_PORT (from \(file)) is not a setting; the nearest is NN_MONITOR_PORT",
                    "nn_monitor_host (from \(file)) is not a setting; the nearest is NN_MONITOR_HOST",
                ])
        }
    }

    @Test(arguments: [
        ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("abc", "abc", 0),
        ("LEVLE", "LEVEL", 1), ("MAXRUNS", "MAX_RUNS", 1),
    ])
    func `The edit distance counts letters to insert, delete, replace or swap`(a: String, b: String, distance: Int) {
        #expect(NearestName.editDistance(a, b) == distance)
        #expect(NearestName.editDistance(b, a) == distance)
    }

    @Test func `The nearest name is the first with the least distance`() {
        #expect(NearestName.nearest(to: "PROT", among: ["HOST", "PORT", "PORTS"]) == "PORT")
        #expect(NearestName.nearest(to: "X", among: []) == nil)
    }
}
