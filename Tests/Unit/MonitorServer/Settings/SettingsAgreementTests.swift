import ArgumentParser
import Foundation
import Logging
import Testing

@testable import MonitorServer

/// The declarations in the topics' structs agree with the command line, the help and CONFIGURATION.md.
@Suite struct SettingsAgreementTests {
    @Test func `Names and purposes are well formed, and no name is declared twice`() throws {
        let settings = try Settings.parse([]).descriptors
        #expect(settings.count > 44)
        #expect(Set(settings.map(\.name)).count == settings.count)
        for setting in settings {
            #expect(setting.name.wholeMatch(of: /[A-Z]+(_[A-Z]+)*/) != nil)
            #expect(setting.purpose.hasSuffix("."), "\(setting.name)")
            #expect(setting.environmentName == "NN_MONITOR_\(setting.name)")
        }
    }

    @Test func `Each setting that is declared is also read`() {
        // Options are the declared settings. The list has those that the topics read.
        let help = ServeCommand.helpMessage(columns: 200)
        let options = help.matches(of: /--([a-z-]+) </).map { String($0.1) }
            .filter { !["name", "scopes"].contains($0) }
        #expect(options == SettingsFixture.descriptors.map(\.optionName), "a topic's read(with:) misses a setting")
    }

    @Test func `The help shows every setting with purpose, allowed values, default and environment name`() {
        let help = ServeCommand.helpMessage(columns: 200).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for setting in SettingsFixture.descriptors {
            let entry =
                "--\(setting.optionName) <\(setting.placeholder)> \(setting.purpose) Allowed: \(setting.allowed). "
                + "(default: \(setting.defaultText); \(setting.environmentName))"
            #expect(help.contains(entry), "\(setting.name)")
        }
    }

    @Test func `CONFIGURATION.md has one row for each setting, in their order`() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<5 { root.deleteLastPathComponent() }
        let text = try String(contentsOf: root.appendingPathComponent("CONFIGURATION.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `NN_MONITOR_") }.map(String.init)
        let expected = SettingsFixture.descriptors.map { setting in
            let defaultText =
                if case .literal(let text) = setting.defaultValue { "`\(text)`" } else { setting.defaultText }
            return "| `\(setting.environmentName)` | `--\(setting.optionName)` | \(defaultText) | \(setting.allowed) "
                + "| \(setting.purpose) |"
        }
        #expect(rows.count == expected.count)
        for (row, wanted) in zip(rows, expected) { #expect(row == wanted) }
    }

    @Test func `Every default is a value that the setting allows`() async throws {
        for setting in SettingsFixture.descriptors {
            guard case .literal(let text) = setting.defaultValue else { continue }
            #expect(await SettingsFixture.refusal(environment: [setting.environmentName: text]) == nil)
        }
    }

    @Test func `A default that is computed at start is described by its phrase`() {
        let setting = Setting(
            "X", .bytes(0...Int.max), default: 7, defaultPhrase: "a quarter of the machine's memory", secret: false, "")
        #expect(setting.value == 7)
        #expect(setting.descriptor.defaultValue == .phrase("a quarter of the machine's memory"))
    }

    @Test func `The defaults of the topics`() async throws {
        let settings = try await SettingsFixture.settings()
        let listening = settings.listening
        #expect(listening.host.value == "127.0.0.1" && listening.port.value == 8000 && listening.threads.value == 0)
        #expect(listening.staticDir.value == nil && listening.shutdownGrace.value == .seconds(10))
        let storage = settings.storage
        #expect(listening.fileTimeout.value == .seconds(5))
        #expect(storage.maxRuns.value == 1000 && storage.maxStepsPerRun.value == 1000 && storage.maxMemory.value == nil)
        let requests = settings.requests
        #expect(requests.maxRequestSize.value == 2_000_000 && requests.maxExpansionRatio.value == 1000)
        #expect(requests.maxHeaderSize.value == 32_768 && requests.maxHeaderCount.value == 100)
        #expect(requests.bodyMemoryLimit == 268_435_456)
        let connections = settings.connections
        #expect(connections.maxConnections.value == 16_384 && connections.maxConnectionsPerAddress.value == 1024)
        #expect(connections.handshakeTimeout.value == .seconds(10) && connections.headerTimeout.value == .seconds(10))
        #expect(connections.bodyTimeout.value == .seconds(60) && connections.idleTimeout.value == .seconds(75))
        #expect(connections.writeTimeout.value == .seconds(60) && connections.bodyStallTimeout.value == .seconds(5))
        let webSocket = settings.webSocket
        #expect(webSocket.maxMessageSize.value == 65_536 && webSocket.pingInterval.value == .seconds(20))
        #expect(webSocket.pongTimeout.value == .seconds(20) && webSocket.maxSubscribers.value == 10_000)
        #expect(webSocket.subscriberQueue.value == 256 && webSocket.subscriberQueueBytes.value == 16_777_216)
        #expect(webSocket.subscriberStallTimeout.value == .seconds(30))
        let security = settings.security
        #expect(security.authentication.value == .auto && security.authToken.value == nil)
        #expect(security.authTokensFile.value == nil && security.authFailureLimit.value == 20)
        #expect(security.corsOrigins.value == [] && security.maxSessionsPerToken.value == 256)
        let tls = settings.tls
        #expect(tls.mode.value == .auto && tls.certFile.value == nil && tls.keyFile.value == nil)
        #expect(tls.minVersion.value == .v1_2 && tls.clientCAFile.value == nil && tls.hstsMaxAge.value == nil)
        #expect(!tls.isEnabled)
        let logs = settings.logs
        #expect(logs.level.value == .info && logs.format.value == .text && logs.buffer.value == 1_048_576)
    }
}
