import Logging
import Testing

@testable import MonitorServer

@Suite struct SettingsValidationTests {
    /// Texts that no setting with this placeholder allows, so that a new setting is tested without a line here.
    private static func invalid(for setting: SettingDescriptor) -> [String] {
        switch setting.placeholder {
        case _ where setting.allowed.contains("a whole number"):
            [" ", "ten", "1.5", "0x10", "1e3", "-1", "5 ", "9223372036854775808", "1_000", "٣"]
                // Without a literal default, an empty text means none.
                + (setting.defaultValue.isLiteral ? [""] : [])
        case "seconds":
            ["", "0", "0.0001", "-1", "86400.1", "inf", "nan", "1e3", "0x1p3", "1s", ".", "1.2.3", "5 "]
        case "path":
            ["a\u{0}b", "a\nb", String(repeating: "a", count: 4097)]
        case "token":
            ["a b", "a:b", "\"abc\"", "ä", String(repeating: "a", count: 513)]
        case "address":
            [
                "", "a b", "-a", "a-", "a..b", "1.2.3", "256.1.1.1", "[::1]", "::g", "http://a",
                "1.2.3.4%eth0", "fe80::1%", String(repeating: "a", count: 64), "a:80", "ä.example",
            ]
        case "origins":
            [
                "example.org", "https://", "https://a/", "https://a,,https://b", "[1]",
                "[\"*\"", "null", "https://a:0", "https://a:65536", "https://a b", "1://a", "https://[::g]", "://a",
                "https://u@a", "https://[::1]x", "https://a:", "{\"a\":1}",
            ]
        case "webhooks":
            [
                "slack", "https://a", "slack=a", "slack=https://a b", "teams=https://a", "ntfy=https://a",
                "slack=https://ä",
            ]
        case "url":
            ["a", "ftp://a", "https://", "https://a/?b", "https://a#b", "https://u@a", "https://a b", "https://a:0"]
        default:
            // A choice of words.
            ["", "maybe", "auto ", "on", "1", "TLSv1.2"]
        }
    }

    @Test(arguments: SettingsFixture.descriptors)
    func `An invalid value from an option or the environment is refused with one complete line`(
        setting: SettingDescriptor
    ) async throws {
        for (index, text) in Self.invalid(for: setting).enumerated() {
            // The check does not depend on the source, and parsing options is slow in a debug build.
            for fromOption in index == 0 ? [true, false] : [false] {
                let refusal = try #require(
                    await SettingsFixture.refusal(
                        options: fromOption ? [setting.name: text] : [:],
                        environment: fromOption ? [:] : [setting.environmentName: text]), "\(setting.name)=\(text)")
                let source = fromOption ? "(from the option --\(setting.optionName))" : "(from the environment)"
                #expect(refusal.hasPrefix("\(setting.environmentName): "))
                // A secret value is not printed, so its reason may be.
                #expect(refusal.contains("\(source) is not allowed\(setting.isSecret ? "" : ".")"))
                #expect(refusal.hasSuffix(". Allowed: \(setting.allowed)"))
                #expect(!refusal.contains { $0.isNewline })
                #expect(refusal.unicodeScalars.count < 400)
            }
        }
    }

    @Test func `The line names the setting, the value, its source and what is allowed`() async throws {
        #expect(
            await SettingsFixture.refusal(environment: ["NN_MONITOR_MAX_RUNS": "ten"])
                == "NN_MONITOR_MAX_RUNS: 'ten' (from the environment) is not allowed. "
                + "Allowed: a whole number from 1 to 100000")
        try await SettingsFixture.withFile("NN_MONITOR_MAX_RUNS=ten\n") { file in
            #expect(
                await SettingsFixture.refusal(file: file)
                    == "NN_MONITOR_MAX_RUNS: 'ten' (from \(file)) is not allowed. "
                    + "Allowed: a whole number from 1 to 100000")
        }
    }

    @Test func `Both ends of every range are allowed, and the numbers beyond them are not`() async throws {
        var ranges = 0
        for setting in SettingsFixture.descriptors {
            guard let range = setting.allowed.firstMatch(of: /a whole number from (\d+) to (\d+)/),
                let least = Int(range.1), let most = Int(range.2)
            else { continue }
            ranges += 1
            for (number, isAllowed) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
                // MAX_BODY_MEMORY has no upper end; its rule is tested with the other rules between settings.
                let refusal = await SettingsFixture.refusal(environment: [setting.environmentName: "\(number)"])
                #expect((refusal == nil) == isAllowed, "\(setting.name)=\(number)")
            }
        }
        #expect(ranges > 15)
    }

    @Test func `Times have millisecond resolution and a range of 0_001 to 86400 seconds`() async throws {
        for (text, time) in [
            ("0.001", Duration.milliseconds(1)), ("2.5", .milliseconds(2500)), ("86400", .seconds(86_400)),
        ] {
            let settings = try await SettingsFixture.settings(environment: ["NN_MONITOR_HEADER_TIMEOUT": text])
            #expect(settings.connections.headerTimeout.value == time)
        }
        #expect(SettingParser<Duration>.seconds.format(.milliseconds(2500)) == "2.5")
    }

    @Test func `Whole seconds may be optional`() async throws {
        for (text, age) in [("", nil), ("0", 0), ("63072000", 63_072_000)] {
            let settings = try await SettingsFixture.settings(environment: ["NN_MONITOR_HSTS_MAX_AGE": text])
            #expect(settings.tls.hstsMaxAge.value == age)
        }
        let settings = try await SettingsFixture.settings(environment: ["NN_MONITOR_FILE_TIMEOUT": "3600"])
        #expect(settings.listening.fileTimeout.value == .seconds(3600))
    }

    @Test func `Memory is a number of bytes, or auto in any case`() {
        let parser = SettingParser<Int?>.memory
        for bytes in [0, Int.max] { #expect(parser.parse("\(bytes)") == .some(bytes)) }
        for text in ["auto", "Auto"] { #expect(parser.parse(text) == .some(nil)) }
        #expect(parser.format(nil) == "auto" && parser.format(0) == "0")
    }

    @Test(arguments: [
        "127.0.0.1", "0.0.0.0", "::", "::1", "fe80::1%eth0", "localhost", "monitor.example.org", "my_host", "a-b.c",
        "1a",
    ])
    func `Addresses and host names are allowed`(host: String) async throws {
        #expect(
            try await SettingsFixture.settings(environment: ["NN_MONITOR_HOST": host]).listening.host.value == host)
    }

    @Test func `Each word of a choice is allowed, in any case`() async throws {
        var words = 0
        for setting in SettingsFixture.descriptors {
            guard setting.allowed.wholeMatch(of: /[\w.]+(, [\w.]+)+/) != nil else { continue }
            for word in setting.allowed.split(separator: ", ") {
                words += 1
                for text in [String(word), word.uppercased()] {
                    #expect(await SettingsFixture.refusal(environment: [setting.environmentName: text]) == nil)
                }
            }
        }
        #expect(words >= 16)
        let settings = try await SettingsFixture.settings(environment: [
            "NN_MONITOR_LOG_LEVEL": "WARNING", "NN_MONITOR_LOG_FORMAT": "json", "NN_MONITOR_TLS": "Dev",
            "NN_MONITOR_TLS_MIN_VERSION": "1.3", "NN_MONITOR_AUTH": "off",
        ])
        #expect(settings.logs.level.value == .warning && settings.logs.format.value == .json)
        #expect(settings.tls.mode.value == .dev && settings.tls.minVersion.value == .v1_3)
        #expect(settings.security.authentication.value == .off)
    }

    @Test func `Origins are a JSON list or separated by commas, and become what browsers send`() {
        let parse = OriginList.parse
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

extension SettingDescriptor.Default {
    fileprivate var isLiteral: Bool {
        if case .literal = self { true } else { false }
    }
}
