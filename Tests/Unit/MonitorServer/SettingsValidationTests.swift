import Logging
import Testing

@testable import MonitorServer

@Suite struct SettingsValidationTests {
    /// Texts that are not allowed, for every setting.
    static let invalid: [(SettingFacts, [String])] = {
        let number = ["", " ", "ten", "1.5", "0x10", "1e3", "-1", "5 ", "9223372036854775808", "1_000", "٣"]
        let time = ["", "0", "0.0001", "-1", "86400.1", "inf", "nan", "1e3", "0x1p3", "1s", ".", "1.2.3", "5 "]
        let path = ["a\u{0}b", "a\nb", String(repeating: "a", count: 4097)]
        return [
            (
                SettingsTable.host.facts,
                [
                    "", "a b", "-a", "a-", "a..b", "1.2.3", "256.1.1.1", "[::1]", "::g", "http://a",
                    "1.2.3.4%eth0", "fe80::1%", String(repeating: "a", count: 64), "a:80", "ä.example",
                ]
            ),
            (SettingsTable.port.facts, number + ["65536"]),
            (SettingsTable.threads.facts, number + ["1025"]),
            (SettingsTable.staticDir.facts, path),
            (SettingsTable.shutdownGrace.facts, time),
            (SettingsTable.fileTimeout.facts, number + ["0", "3601"]),
            (SettingsTable.maxRuns.facts, number + ["0", "100001"]),
            (SettingsTable.maxStepsPerRun.facts, number + ["9", "1000001"]),
            (SettingsTable.maxMemory.facts, number),
            (SettingsTable.maxRequestSize.facts, number + ["99999", "1073741825"]),
            (SettingsTable.maxExpansionRatio.facts, number + ["0", "100001"]),
            (SettingsTable.maxBodyMemory.facts, number),
            (SettingsTable.maxHeaderSize.facts, number + ["1023", "1048577"]),
            (SettingsTable.maxHeaderCount.facts, number + ["9", "10001"]),
            (SettingsTable.maxConnections.facts, number + ["0", "1000001"]),
            (SettingsTable.maxConnectionsPerAddress.facts, number + ["0", "1000001"]),
            (SettingsTable.handshakeTimeout.facts, time),
            (SettingsTable.headerTimeout.facts, time),
            (SettingsTable.bodyTimeout.facts, time),
            (SettingsTable.bodyStallTimeout.facts, time),
            (SettingsTable.idleTimeout.facts, time),
            (SettingsTable.writeTimeout.facts, time),
            (SettingsTable.wsMaxMessageSize.facts, number + ["1023", "67108865"]),
            (SettingsTable.wsPingInterval.facts, time),
            (SettingsTable.wsPongTimeout.facts, time),
            (SettingsTable.maxSubscribers.facts, number + ["0", "1000001"]),
            (SettingsTable.subscriberQueue.facts, number + ["0", "1000001"]),
            (SettingsTable.subscriberQueueBytes.facts, number + ["65535", "1073741825"]),
            (SettingsTable.subscriberStallTimeout.facts, time),
            (SettingsTable.auth.facts, ["", "on", "automatic", "auto "]),
            (SettingsTable.authToken.facts, ["a b", "a:b", "\"abc\"", "ä", String(repeating: "a", count: 513)]),
            (SettingsTable.authTokensFile.facts, path),
            (SettingsTable.authFailureLimit.facts, number + ["0", "1000001"]),
            (SettingsTable.maxSessionsPerToken.facts, number + ["0", "4097"]),
            (
                SettingsTable.corsOrigins.facts,
                [
                    "example.org", "https://", "https://a/", "https://a,,https://b", "[1]",
                    "[\"*\"", "null", "https://a:0", "https://a:65536", "https://a b", "1://a", "https://[::g]", "://a",
                    "https://u@a", "https://[::1]x", "https://a:",
                ]
            ),
            (SettingsTable.tls.facts, ["", "on", "development"]),
            (SettingsTable.tlsCertFile.facts, path),
            (SettingsTable.tlsKeyFile.facts, path),
            (SettingsTable.tlsMinVersion.facts, ["", "1.1", "1", "TLSv1.2"]),
            (SettingsTable.tlsClientCAFile.facts, path),
            (SettingsTable.hstsMaxAge.facts, number.filter { !$0.isEmpty } + ["63072001"]),
            (SettingsTable.logLevel.facts, ["", "warn", "verbose"]),
            (SettingsTable.logFormat.facts, ["", "xml"]),
            (SettingsTable.logBuffer.facts, number + ["65535", "1073741825"]),
        ]
    }()

    @Test func `Every setting has invalid values here`() {
        #expect(Self.invalid.map(\.0) == SettingsTable.all)
    }

    @Test(arguments: invalid)
    func `An invalid value is refused from each source, in one line that says all`(
        facts: SettingFacts, texts: [String]
    ) async throws {
        for text in texts {
            for fromOption in [true, false] {
                let refusal = try #require(
                    await SettingsFixture.refusal(
                        options: fromOption ? [facts: text] : [:],
                        environment: fromOption ? [:] : [facts.environmentName: text]), "\(facts.name)=\(text)")
                let source = fromOption ? "(from the option --\(facts.optionName))" : "(from the environment)"
                #expect(refusal.hasPrefix("\(facts.environmentName): "))
                #expect(refusal.hasSuffix("\(source) is not allowed: \(facts.allowed)"))
                #expect(!refusal.contains { $0.isNewline })
                #expect(refusal.unicodeScalars.count < 400)
            }
        }
    }

    @Test func `The line names the setting, the value, where it came from and what is allowed`() async throws {
        #expect(
            await SettingsFixture.refusal(environment: ["NN_MONITOR_MAX_RUNS": "ten"])
                == "NN_MONITOR_MAX_RUNS: 'ten' (from the environment) is not allowed: a whole number from 1 to 100000")
        try await SettingsFixture.withFile("NN_MONITOR_MAX_RUNS=ten\n") { file in
            #expect(
                await SettingsFixture.refusal(file: file)
                    == "NN_MONITOR_MAX_RUNS: 'ten' (from \(file)) is not allowed: a whole number from 1 to 100000")
        }
    }

    @Test func `A secret is never shown, wherever it comes from`() async throws {
        let facts = SettingsTable.authToken.facts
        #expect(SettingsTable.all.filter(\.isSecret) == [facts])
        let fromOption = try #require(await SettingsFixture.refusal(options: [facts: "s3cret s3cret"]))
        let fromVariable = try #require(
            await SettingsFixture.refusal(environment: [facts.environmentName: "s3cret s3cret"]))
        #expect(!fromOption.contains("s3cret") && !fromVariable.contains("s3cret"))
        try await SettingsFixture.withFile("NN_MONITOR_AUTH_TOKEN=s3cret s3cret\n") { file in
            let fromFile = try #require(await SettingsFixture.refusal(file: file))
            #expect(!fromFile.contains("s3cret"))
            let sources = try await SettingsFixture.sources(
                options: [facts: "s3cret"], environment: [facts.environmentName: "s3cret"], file: file)
            #expect(!"\(sources)".contains("s3cret"))
        }
    }

    @Test func `Settings that are printed or dumped show no secret`() async throws {
        let settings = try await SettingsFixture.settings(environment: ["NN_MONITOR_AUTH_TOKEN": "s3cret"])
        #expect(settings.authToken?.revealed == "s3cret")
        var dumped = "\(settings) \(String(reflecting: settings))"
        dump(settings, to: &dumped)
        #expect(dumped.contains("<secret>") && !dumped.contains("s3cret"))
    }

    @Test func `A value is shown up to its first control character, and shortened`() async throws {
        let lines = try #require(await SettingsFixture.refusal(environment: ["NN_MONITOR_PORT": "80\nNAME=s3cret"]))
        #expect(lines.hasPrefix("NN_MONITOR_PORT: '80…' (from"))
        let long = try #require(
            await SettingsFixture.refusal(environment: ["NN_MONITOR_PORT": String(repeating: "9", count: 5000)]))
        #expect(long.contains("'" + String(repeating: "9", count: 100) + "…'"))
    }

    @Test func `The ends of every range are allowed`() async throws {
        let ranges: [(Setting<Int>, [Int])] = [
            (SettingsTable.port, [0, 65_535]), (SettingsTable.threads, [0, 1024]),
            (SettingsTable.maxRuns, [1, 100_000]), (SettingsTable.maxStepsPerRun, [10, 1_000_000]),
            (SettingsTable.maxRequestSize, [100_000, 1_073_741_824]),
            (SettingsTable.subscriberQueueBytes, [65_536, 1_073_741_824]),
        ]
        for (setting, ends) in ranges {
            for end in ends { #expect(setting.parse("\(end)") == end, "\(setting.facts.name)") }
        }
        for end in [0, Int.max] { #expect(SettingsTable.maxMemory.parse("\(end)") == .some(end)) }
        #expect(SettingsTable.maxMemory.parse("auto") == .some(nil))
        #expect(SettingsTable.headerTimeout.parse("0.001") == .milliseconds(1))
        #expect(SettingsTable.headerTimeout.parse("2.5") == .milliseconds(2500))
        #expect(SettingsTable.headerTimeout.parse("86400") == .seconds(86_400))
    }

    @Test(arguments: [
        "127.0.0.1", "0.0.0.0", "::", "::1", "fe80::1%eth0", "localhost", "monitor.example.org", "my_host", "a-b.c",
        "1a",
    ])
    func `Addresses and host names are allowed`(host: String) {
        #expect(SettingsTable.host.parse(host) == host)
    }

    @Test func `Words are taken in any case`() {
        #expect(SettingsTable.logLevel.parse("WARNING") == .warning)
        #expect(SettingsTable.tls.parse("Dev") == .dev)
        #expect(SettingsTable.maxMemory.parse("Auto") == .some(nil))
        #expect(SettingsTable.tlsMinVersion.parse("1.3") == .v1_3)
    }

    @Test func `Origins are read from a JSON list or between commas, in the form browsers send`() {
        let parse = SettingsTable.corsOrigins.parse
        #expect(parse("*") == ["*"])
        #expect(parse("[\"*\"]") == ["*"])
        #expect(parse("") == [] && parse("[]") == [])
        #expect(
            parse("https://A.Example:443, http://b:80 ,http://b:8080") == [
                "https://a.example", "http://b", "http://b:8080",
            ])
        #expect(
            parse(" [\"https://a.example\", \"http://[::1]:3000\"] ") == ["https://a.example", "http://[::1]:3000"])
        #expect(parse("https://a.example,HTTPS://A.EXAMPLE") == ["https://a.example"])
        #expect(parse("chrome-extension://abc") == ["chrome-extension://abc"])
    }
}
