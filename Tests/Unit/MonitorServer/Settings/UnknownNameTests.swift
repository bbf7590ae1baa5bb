import Testing

@testable import MonitorServer

@Suite struct UnknownNameTests {
    @Test func `Unknown names in the environment and the file are reported with the nearest name`() async throws {
        let text =
            "NN_MONITOR_MAXRUNS=1\nexport NN_MONITOR_PORT=1\nnn_monitor_host=a\nOTHER=1\n#NN_MONITOR_X=1\n"
            + "NN_MONITOR_TLS_CERTFILE=1\n"
        try await SettingsFixture.withFile(text) { file in
            let sources = try await SettingsFixture.read(
                environment: [
                    "NN_MONITOR_LOG_LEVLE": "info", "NN_MONITOR_PROT": "1", "PATH": "/bin", "NN_MONITOR_TLS": "dev",
                ], file: file
            ).sources
            let warnings = SettingsWarnings.unknownNames(in: sources, settings: SettingsFixture.descriptors)
            #expect(
                Set(warnings) == [
                    "NN_MONITOR_LOG_LEVLE (from the environment) is not a setting; the nearest is NN_MONITOR_LOG_LEVEL",
                    "NN_MONITOR_PROT (from the environment) is not a setting; the nearest is NN_MONITOR_PORT",
                    "NN_MONITOR_MAXRUNS (from \(file)) is not a setting; the nearest is NN_MONITOR_MAX_RUNS",
                    "NN_MONITOR_TLS_CERTFILE (from \(file)) is not a setting; the nearest is NN_MONITOR_TLS_CERT_FILE",
                    "export NN_MONITOR_PORT (from \(file)) is not a setting; the nearest is NN_MONITOR_PORT",
                    "nn_monitor_host (from \(file)) is not a setting; the nearest is NN_MONITOR_HOST",
                ])
        }
    }

    @Test func `Names that Kubernetes and clients use log no warning, the PORT of the service logs one`() async throws {
        var environment = [
            "NN_MONITOR_PORT_8000_TCP": "tcp://10.96.12.34:8000", "NN_MONITOR_PORT_8000_TCP_PROTO": "tcp",
            "NN_MONITOR_SERVICE_HOST": "10.96.12.34", "NN_MONITOR_SERVICE_PORT_HTTP": "8000",
            "NN_MONITOR_URL": "http://a", "NN_MONITOR_TOKEN": "t", "NN_MONITOR_RUN_ID": "r",
        ]
        var (settings, sources) = try await SettingsFixture.read(environment: environment)
        #expect(SettingsWarnings.all(for: settings, from: sources).isEmpty)
        environment["NN_MONITOR_PORT"] = "tcp://10.96.12.34:8000"
        (settings, sources) = try await SettingsFixture.read(environment: environment)
        #expect(settings.listening.port.value == 8000)
        let warnings = SettingsWarnings.all(for: settings, from: sources)
        #expect(warnings.count == 1 && warnings[0].hasPrefix("NN_MONITOR_PORT is 'tcp://10.96.12.34:8000'"))
        settings = try await SettingsFixture.settings(options: ["PORT": "9000"], environment: environment)
        #expect(settings.listening.port.value == 9000)
    }

    @Test(arguments: [
        ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("abc", "abc", 0),
        ("LEVLE", "LEVEL", 1), ("MAXRUNS", "MAX_RUNS", 1),
    ])
    func `The edit distance counts letters to insert, delete, replace or swap`(a: String, b: String, distance: Int) {
        #expect(NearestName.editDistance(a, b) == distance)
        #expect(NearestName.editDistance(b, a) == distance)
    }

    @Test func `The nearest name is the first with the smallest distance`() {
        #expect(NearestName.nearest(to: "PROT", among: ["HOST", "PORT", "PORTS"]) == "PORT")
        #expect(NearestName.nearest(to: "X", among: []) == nil)
    }
}
