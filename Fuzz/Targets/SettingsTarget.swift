import ArgumentParser
import Foundation
import HTTPService
import Foundations
import Synchronization

@testable import MonitorServer

/// Settings from options, an environment or a `.env` file that libFuzzer generates, and the tokens file. Invalid input
/// leads to a one-line error without secrets; accepted values are within their bounds.
final class SettingsTarget: FuzzTarget {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)")
    private static let secret = "correct-horse-battery-staple"
    private static let descriptors = (try? Settings.parse([]))?.descriptors ?? []

    init() {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            fatalError("a folder for the .env file is made: \(error)")
        }
    }

    func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let place = choices.number(in: 0...3)
        let bytes = Array(choices.payload)
        let text = String(decoding: bytes, as: UTF8.self)
        switch place {
        case 0: file(bytes)
        case 1: settings(environment: Self.pairs(text))
        case 2: settings(options: Self.pairs(text))
        default: tokens(text)
        }
    }

    private func file(_ bytes: [UInt8]) {
        let path = folder.appendingPathComponent(".env").path
        require(FileManager.default.createFile(atPath: path, contents: Data(bytes)), "the file is written")
        settings(file: path)
    }

    /// Lines `NAME=VALUE`; a name without prefix gets it.
    private static func pairs(_ text: String) -> [String: String] {
        var pairs: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            pairs[name.hasPrefix("NN_MONITOR_") ? name : "NN_MONITOR_" + name] =
                parts.count == 2 ? String(parts[1]) : ""
        }
        return pairs
    }

    private func settings(
        options: [String: String] = [:], environment: [String: String] = [:], file: String = "/nonexistent/.env"
    ) {
        var environment = environment
        if options.isEmpty && environment["NN_MONITOR_AUTH_TOKEN"] != nil {
            environment["NN_MONITOR_AUTH_TOKEN"] = Self.secret + environment["NN_MONITOR_AUTH_TOKEN", default: ""]
        }
        let arguments = Self.descriptors.compactMap { setting in
            options[setting.environmentName].map { "--\(setting.optionName)=\($0)" }
        }
        // swift-argument-parser rejects some texts itself, such as an empty value; its messages are not ours to check.
        guard let parsed = try? Settings.parse(arguments) else { return }
        let outcome = wait { [environment] in
            do {
                var settings = parsed
                let sources = try await SettingsSources(for: Self.descriptors, environment: environment, file: file)
                try settings.read(from: sources)
                for line in SettingsWarnings.all(for: settings, from: sources) { checkLine(line) }
                return Result<Settings, SettingsError>.success(settings)
            } catch let error as SettingsError {
                return .failure(error)
            } catch {
                fatalError("settings fail with a SettingsError, not \(error)")
            }
        }
        switch outcome {
        case .failure(let error): checkLine("\(error)")
        case .success(let settings): check(settings)
        }
    }

    private func check(_ settings: Settings) {
        require((0...65_535).contains(settings.listening.port.value), "the port is a port number")
        let storage = settings.storage
        require((1...100_000).contains(storage.maxRuns.value), "the number of runs is within its bounds")
        require((10...1_000_000).contains(storage.maxStepsPerRun.value), "the number of steps is within its bounds")
        let size = settings.requests.maxRequestSize.value
        require((100_000...1_073_741_824).contains(size), "the size is within its bounds")
        let connections = settings.connections
        for time in [connections.headerTimeout, connections.bodyTimeout, connections.idleTimeout] {
            require(time.value >= .zero && time.value < .seconds(1 << 40), "a timer accepts the time")
        }
        let tls = settings.tls
        require((tls.certFile.value == nil) == (tls.keyFile.value == nil), "certificate and key are given together")
    }

    private func tokens(_ text: String) {
        do {
            let entries = try TokenFile.parse(text, file: "tokens")
            require(entries.allSatisfy { $0.digest.count == 32 && !$0.scopes.isEmpty }, "an entry is whole")
        } catch {
            require(error.line >= 1 && !error.reason.isEmpty, "an error says what is wrong, and where")
        }
    }

    /// Runs asynchronous code to its end; libFuzzer knows none.
    private func wait<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
        let done = DispatchSemaphore(value: 0)
        let result = Guarded<Value?>(nil)
        Task {
            let value = await body()
            result.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        guard let value = result.withLock({ $0 }) else { fatalError("the task has left its value") }
        return value
    }
}

/// One line without the secret.
private func checkLine(_ line: String) {
    require(!line.isEmpty && !line.contains { $0.isNewline }, "a message is one line, not '\(line)'")
    require(line.utf8.count < 4096, "a message is short")
    require(!line.contains("correct-horse"), "a message shows no secret")
}
