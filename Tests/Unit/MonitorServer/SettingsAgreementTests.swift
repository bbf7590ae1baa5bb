import ArgumentParser
import Foundation
import Logging
import Testing

@testable import MonitorServer

/// The table is the one definition; the code, the command line, the help and CONFIGURATION.md follow it.
@Suite struct SettingsAgreementTests {
    @Test func `The table names each setting once`() {
        #expect(SettingsTable.all.count == 44)
        #expect(Set(SettingsTable.all.map(\.name)).count == SettingsTable.all.count)
        for facts in SettingsTable.all {
            #expect(facts.name.wholeMatch(of: /[A-Z]+(_[A-Z]+)*/) != nil)
            #expect(facts.purpose.hasSuffix("."), "\(facts.name)")
            #expect(facts.environmentName == "NN_MONITOR_\(facts.name)")
        }
    }

    @Test func `The code reads exactly the settings of the table, and every default is allowed`() async throws {
        let sources = try await SettingsFixture.sources()
        _ = try Settings(from: sources)
        #expect(sources.namesRead == Set(SettingsTable.all.map(\.environmentName)))
    }

    @Test func `The defaults are those of the contract`() async throws {
        let settings = try await SettingsFixture.settings()
        #expect(settings.host == "127.0.0.1" && settings.port == 8000 && settings.threads == 0)
        #expect(settings.staticDir == nil && settings.shutdownGrace == .seconds(10))
        #expect(settings.maxRuns == 1000 && settings.maxStepsPerRun == 1000 && settings.maxMemory == nil)
        #expect(settings.maxRequestSize == 2_000_000 && settings.maxExpansionRatio == 1000)
        #expect(settings.maxBodyMemory == 0)
        #expect(settings.maxHeaderSize == 32_768 && settings.maxHeaderCount == 100)
        #expect(settings.maxConnections == 16_384 && settings.maxConnectionsPerAddress == 1024)
        #expect(settings.handshakeTimeout == .seconds(10) && settings.headerTimeout == .seconds(10))
        #expect(settings.bodyTimeout == .seconds(60) && settings.idleTimeout == .seconds(75))
        #expect(settings.writeTimeout == .seconds(60) && settings.bodyStallTimeout == .seconds(5))
        #expect(settings.fileTimeout == .seconds(5))
        #expect(settings.wsMaxMessageSize == 65_536 && settings.wsPingInterval == .seconds(20))
        #expect(settings.wsPongTimeout == .seconds(20) && settings.maxSubscribers == 10_000)
        #expect(settings.subscriberQueue == 256 && settings.subscriberQueueBytes == 16_777_216)
        #expect(settings.subscriberStallTimeout == .seconds(30))
        #expect(settings.auth == .auto && settings.authToken == nil && settings.authTokensFile == nil)
        #expect(settings.authFailureLimit == 20 && settings.corsOrigins == [])
        #expect(settings.maxSessionsPerToken == 256 && settings.hstsMaxAge == nil)
        #expect(settings.tls == .auto && settings.tlsCertFile == nil && settings.tlsKeyFile == nil)
        #expect(settings.tlsMinVersion == .v1_2 && settings.tlsClientCAFile == nil && !settings.usesTLS)
        #expect(settings.logLevel == .info && settings.logFormat == .text && settings.logBuffer == 1_048_576)
    }

    @Test(arguments: SettingsTable.all)
    func `Every setting has an option that reaches it`(facts: SettingFacts) throws {
        let command = try ServeCommand.parse(["--\(facts.optionName)", "-some text"])
        #expect(command.given == [facts: "-some text"])
    }

    @Test func `The help shows every setting with purpose, allowed values, default and environment name`() {
        let help = ServeCommand.helpMessage(columns: 200).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for facts in SettingsTable.all {
            let entry =
                "--\(facts.optionName) <\(facts.placeholder)> \(facts.purpose) Allowed: \(facts.allowed). "
                + "(default: \(facts.defaultText ?? "none"); \(facts.environmentName))"
            #expect(help.contains(entry), "\(facts.name)")
        }
        let options = help.matches(of: /--([a-z-]+) </).map { String($0.1) }.filter {
            !["name", "scopes"].contains($0)
        }
        #expect(options == SettingsTable.all.map(\.optionName))
    }

    @Test func `CONFIGURATION.md has the table's rows, in its order`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("CONFIGURATION.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `NN_MONITOR_") }.map(String.init)
        let expected = SettingsTable.all.map { facts in
            let defaultText = facts.defaultText.map { "`\($0)`" } ?? "none"
            return "| `\(facts.environmentName)` | `--\(facts.optionName)` | \(defaultText) | \(facts.allowed) "
                + "| \(facts.purpose) |"
        }
        #expect(rows.count == expected.count)
        for (row, wanted) in zip(rows, expected) { #expect(row == wanted) }
    }
}
