import Testing

@testable import MonitorServer

@Suite struct SettingsSecrecyTests {
    @Test func `A secret is not printed, from any source`() async throws {
        let secrets = SettingsFixture.descriptors.filter(\.isSecret)
        #expect(secrets.map(\.name) == ["AUTH_TOKEN", "ALERT_WEBHOOKS"])
        for setting in secrets {
            let name = setting.environmentName
            let fromOption = try #require(await SettingsFixture.refusal(options: [setting.name: "s3cret s3cret"]))
            let fromVariable = try #require(await SettingsFixture.refusal(environment: [name: "s3cret s3cret"]))
            #expect(!fromOption.contains("s3cret") && !fromVariable.contains("s3cret"))
            try await SettingsFixture.withFile("\(name)=s3cret s3cret\n") { file in
                let fromFile = try #require(await SettingsFixture.refusal(file: file))
                #expect(!fromFile.contains("s3cret"))
            }
        }
    }

    @Test func `Receivers of alerts are printed without their addresses`() async throws {
        let settings = try await SettingsFixture.settings(environment: [
            "NN_MONITOR_ALERT_WEBHOOKS": "slack=https://u:s3cret@a/s3cret\n ntfy=https://b/s3cret"
        ])
        #expect("\(settings.alerts.webhooks.value.webhooks)" == "[slack a, ntfy b]")
        var text = "\(settings.alerts) \(String(reflecting: settings.alerts.webhooks))"
        dump(settings.alerts, to: &text)
        #expect(text.contains("slack a") && !text.contains("s3cret"))
    }

    @Test func `Settings and sources that are printed or dumped contain no secret`() async throws {
        try await SettingsFixture.withFile("NN_MONITOR_AUTH_TOKEN=s3cret\n") { file in
            let (settings, sources) = try await SettingsFixture.read(
                options: ["AUTH_TOKEN": "s3cret"], environment: ["NN_MONITOR_AUTH_TOKEN": "s3cret"], file: file)
            #expect(settings.security.authToken.value?.revealed == "s3cret")
            let texts = "\(settings.security.authToken) \(String(reflecting: settings.security.authToken)) \(settings)"
            #expect(texts.contains("<secret>") && !texts.contains("s3cret"))
            var dumped = ""
            dump(settings.security.authToken, to: &dumped)
            #expect(dumped.contains("<secret>") && !dumped.contains("s3cret"))
            #expect(!"\(sources) \(String(reflecting: sources))".contains("s3cret"))
        }
    }

    @Test func `A value is printed up to its first control character, and shortened`() async throws {
        let lines = try #require(await SettingsFixture.refusal(environment: ["NN_MONITOR_PORT": "80\nNAME=s3cret"]))
        #expect(lines.hasPrefix("NN_MONITOR_PORT: '80…' (from"))
        let long = try #require(
            await SettingsFixture.refusal(environment: ["NN_MONITOR_PORT": String(repeating: "9", count: 5000)]))
        #expect(long.contains("'" + String(repeating: "9", count: 100) + "…'"))
    }
}
