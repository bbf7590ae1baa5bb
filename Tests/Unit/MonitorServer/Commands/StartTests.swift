import Foundation
import Testing

/// The built executable, started as a process.
@Suite struct StartTests {
    @Test func `An invalid value ends the start with exit code 64 and exactly one line on standard error`() async throws
    {
        let ended = try await run(["--max-runs", "ten"])
        #expect(ended.status == 64)
        #expect(ended.output.isEmpty)
        #expect(
            ended.errors
                == "NN_MONITOR_MAX_RUNS: 'ten' (from the option --max-runs) is not allowed. "
                + "Allowed: a whole number from 1 to 100000\n")
    }

    @Test
    func `An invalid value from the environment or from .env in the working directory ends the start the same way`()
        async throws
    {
        let fromVariable = try await run([], environment: ["NN_MONITOR_AUTH_TOKEN": "s3cret s3cret"])
        #expect(fromVariable.status == 64)
        #expect(fromVariable.errors.hasPrefix("NN_MONITOR_AUTH_TOKEN: the value (from the environment) is not allowed"))
        let fromFile = try await run([], file: "NN_MONITOR_PORT=http\n")
        #expect(fromFile.status == 64)
        #expect(fromFile.errors.hasPrefix("NN_MONITOR_PORT: 'http' (from .env) is not allowed"))
        #expect(fromFile.errors.split(separator: "\n").count == 1)
    }

    @Test func `The token command prints the token and its line`() async throws {
        let ended = try await run(["token", "--name", "trainer", "--scopes", "ingest,read"])
        #expect(ended.status == 0 && ended.errors.isEmpty)
        let lines = ended.output.split(separator: "\n")
        try #require(lines.count == 2)
        #expect(lines[0].wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil)
        #expect(lines[1].wholeMatch(of: /trainer:ingest,read:[0-9a-f]{64}/) != nil)
    }

    private struct Ended {
        let status: Int32
        let output: String
        let errors: String
    }

    /// Runs the executable in an empty folder, optionally with a `.env`, and with only the given environment.
    private func run(
        _ arguments: [String], environment: [String: String] = [:], file: String? = nil
    ) async throws -> Ended {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nnmonitor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        if let file { try Data(file.utf8).write(to: folder.appendingPathComponent(".env")) }

        let process = Process()
        process.executableURL = try executable()
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = folder
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        // The output is much smaller than a pipe's buffer, so it can be read after the process has ended.
        return Ended(
            status: status,
            output: String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
            errors: String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
    }

    /// The executable beside the test bundle.
    private func executable() throws -> URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for _ in 0..<6 {
            let candidate = folder.appendingPathComponent("NNMonitor")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder.deleteLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }
}
