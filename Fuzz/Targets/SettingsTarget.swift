import Foundation
import HTTPService
import Foundations
import Synchronization

@testable import MonitorServer

/// The settings, from an environment, options and a `.env` file of libFuzzer's choice, and the file of tokens. Whatever
/// is wrong is said in one line that shows no secret; what is accepted is within its bounds.
final class SettingsTarget: FuzzTarget {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)")
    private static let secret = "correct-horse-battery-staple"

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
        let facts = SettingsTable.all.map { ($0, options[$0.environmentName]) }
        let given = Dictionary(uniqueKeysWithValues: facts.compactMap { fact, text in text.map { (fact, $0) } })
        let outcome = wait { [environment] in
            do {
                let sources = try await SettingsSources(options: given, environment: environment, file: file)
                let settings = try Settings(from: sources)
                _ = SettingsWarnings.all(for: settings, from: sources).map { checkLine($0) }
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
        require((0...65_535).contains(settings.port), "the port is one")
        require((1...100_000).contains(settings.maxRuns), "the number of runs is within its bounds")
        require((10...1_000_000).contains(settings.maxStepsPerRun), "the number of steps is within its bounds")
        require((100_000...1_073_741_824).contains(settings.maxRequestSize), "the size is within its bounds")
        for time in [settings.headerTimeout, settings.bodyTimeout, settings.idleTimeout, settings.shutdownGrace] {
            require(time >= .zero && time < .seconds(1 << 40), "a time is one that a timer takes")
        }
        require((settings.tlsCertFile == nil) == (settings.tlsKeyFile == nil), "certificate and key come together")
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
