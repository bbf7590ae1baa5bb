import Testing

@testable import MonitorServer

@Suite struct SettingsConsistencyTests {
    @Test func `Certificate and key require each other`() async throws {
        #expect(
            await SettingsFixture.refusal(environment: ["NN_MONITOR_TLS_CERT_FILE": "c"])
                == "NN_MONITOR_TLS_KEY_FILE is required when TLS_CERT_FILE is set")
        #expect(
            await SettingsFixture.refusal(environment: ["NN_MONITOR_TLS_KEY_FILE": "k"])
                == "NN_MONITOR_TLS_CERT_FILE is required when TLS_KEY_FILE is set")
        let both = try await SettingsFixture.settings(
            environment: ["NN_MONITOR_TLS_CERT_FILE": "c", "NN_MONITOR_TLS_KEY_FILE": "k"])
        #expect(both.tls.isEnabled)
    }

    @Test func `The memory for bodies has room for one and for others`() async throws {
        var environment = ["NN_MONITOR_MAX_BODY_MEMORY": "3999999"]
        #expect(
            await SettingsFixture.refusal(environment: environment)
                == "NN_MONITOR_MAX_BODY_MEMORY: '3999999' (from the environment) is less than twice MAX_REQUEST_SIZE, "
                + "which is 2000000: set it to at least 4000000, so that one body leaves memory for others")
        environment["NN_MONITOR_MAX_BODY_MEMORY"] = "4000000"
        let settings = try await SettingsFixture.settings(environment: environment)
        #expect(settings.requests.bodyMemoryLimit == 4_000_000)
        let larger = try await SettingsFixture.settings(environment: ["NN_MONITOR_MAX_REQUEST_SIZE": "100000000"])
        #expect(larger.requests.bodyMemoryLimit == 400_000_000)
    }

    @Test func `Answers have a part of the memory, and metrics have the rest`() async throws {
        func storage(_ memory: String, _ reads: String? = nil) async throws -> StorageSettings {
            var environment = ["NN_MONITOR_MAX_MEMORY": memory]
            environment["NN_MONITOR_MAX_READ_MEMORY"] = reads
            return try await SettingsFixture.settings(environment: environment).storage
        }
        let whole = try await storage("64000000")
        #expect(whole.storedLimit == 48_000_000 && whole.readLimit == 16_000_000)
        let set = try await storage("64000000", "10000000")
        #expect(set.storedLimit == 54_000_000 && set.readLimit == 10_000_000)
        // Very little memory still lets one answer through.
        let little = try await storage("1000000")
        #expect(little.storedLimit == 750_000 && little.readLimit == 4_194_304)
        let none = try await storage("0")
        #expect(none.storedLimit == 0 && none.readLimit >= 4_194_304)
        #expect(
            await SettingsFixture.refusal(environment: [
                "NN_MONITOR_MAX_MEMORY": "64000000", "NN_MONITOR_MAX_READ_MEMORY": "32000001",
            ])
                == "NN_MONITOR_MAX_READ_MEMORY: '32000001' (from the environment) is more than half of MAX_MEMORY, "
                + "which is 64000000: set it to at most 32000000, so that memory for metrics is left")
    }

    @Test func `A generated certificate excludes a configured one`() async throws {
        let environment = [
            "NN_MONITOR_TLS_CERT_FILE": "c", "NN_MONITOR_TLS_KEY_FILE": "k", "NN_MONITOR_TLS": "dev",
        ]
        #expect(
            await SettingsFixture.refusal(environment: environment)
                == "NN_MONITOR_TLS: 'dev' (from the environment) generates its own certificate, "
                + "but TLS_CERT_FILE is set: remove one of the two")
        #expect(try await SettingsFixture.settings(environment: ["NN_MONITOR_TLS": "dev"]).tls.isEnabled)
    }

    @Test func `Client certificates need TLS`() async throws {
        for mode in ["auto", "off"] {
            let refusal = await SettingsFixture.refusal(
                environment: ["NN_MONITOR_TLS_CLIENT_CA_FILE": "ca", "NN_MONITOR_TLS": mode])
            #expect(
                refusal == "NN_MONITOR_TLS_CLIENT_CA_FILE: 'ca' (from the environment) needs TLS: "
                    + "set TLS_CERT_FILE and TLS_KEY_FILE, or set TLS to dev")
        }
        let settings = try await SettingsFixture.settings(
            environment: ["NN_MONITOR_TLS_CLIENT_CA_FILE": "ca", "NN_MONITOR_TLS": "dev"])
        #expect(settings.tls.clientCAFile.value == "ca")
    }

    @Test func `TLS off with a configured certificate logs a warning`() async throws {
        let settings = try await SettingsFixture.settings(environment: [
            "NN_MONITOR_TLS_CERT_FILE": "c", "NN_MONITOR_TLS_KEY_FILE": "k", "NN_MONITOR_TLS": "off",
        ])
        #expect(!settings.tls.isEnabled)
        #expect(settings.warnings.count == 1 && settings.warnings[0].hasPrefix("NN_MONITOR_TLS is off"))
    }

    @Test func `Authentication off with a configured token logs a warning`() async throws {
        let settings = try await SettingsFixture.settings(environment: [
            "NN_MONITOR_AUTH": "off", "NN_MONITOR_AUTH_TOKEN": "s3cret",
        ])
        let warnings = settings.warnings
        #expect(warnings.count == 1 && warnings[0].hasPrefix("NN_MONITOR_AUTH is off"))
        #expect(!warnings.joined().contains("s3cret"))
    }

    @Test func `A token that can be guessed logs a warning`() async throws {
        for (length, count) in [(21, 1), (22, 0)] {
            let token = String(repeating: "k", count: length)
            let warnings = try await SettingsFixture.settings(environment: ["NN_MONITOR_AUTH_TOKEN": token]).warnings
            #expect(warnings.count == count && !warnings.joined().contains("kk"))
            #expect(warnings.allSatisfy { $0.hasPrefix("NN_MONITOR_AUTH_TOKEN has fewer than 22 characters") })
        }
    }
}
