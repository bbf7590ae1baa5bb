import Foundation
import FuzzTargets
import Testing

/// Runs each fuzz target on its seeds and regression inputs, without libFuzzer.
///
/// The targets compute without suspending. One at a time, with a suspension after each input, so that they do not hold all
/// threads of the pool while tests with deadlines wait for one.
@Suite(.serialized) struct SeedTests {
    private static let fuzz = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Generates the seeds: one folder per target.
    private static func seeds() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fuzz-seeds-\(UUID())")
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/python3")
        python.arguments = [fuzz.appending(path: "seeds.py").path(), folder.path()]
        try python.run()
        python.waitUntilExit()
        try #require(python.terminationStatus == 0)
        return folder
    }

    private static func inputs(in folder: URL) throws -> [(name: String, bytes: [UInt8])] {
        guard FileManager.default.fileExists(atPath: folder.path()) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path() < $1.path() }
            .map { ($0.lastPathComponent, [UInt8](try Data(contentsOf: $0))) }
    }

    /// An input, seven truncations of it, and sixteen copies with one bit flipped.
    private static func variants(of input: [UInt8]) -> [[UInt8]] {
        let cut = (1..<8).map { Array(input.prefix(input.count * $0 / 8)) }
        let changed = (0..<16).compactMap { place -> [UInt8]? in
            guard !input.isEmpty else { return nil }
            var copy = input
            copy[input.count * place / 16] ^= 1 << (place % 8)
            return copy
        }
        return [input] + cut + changed
    }

    @Test(arguments: FuzzTargets.all.keys.sorted())
    func `A fuzz target keeps its promises for its seeds, their variants and the regressions`(name: String) async throws {
        let make = try #require(FuzzTargets.all[name])
        let seeds = try Self.seeds()
        defer { try? FileManager.default.removeItem(at: seeds) }
        let target = make()
        let inputs = try Self.inputs(in: seeds.appending(path: name))
        #expect(!inputs.isEmpty)
        let regressions = try Self.inputs(in: Self.fuzz.appending(path: "regressions/\(name)"))
        for input in inputs + regressions {
            for (number, bytes) in Self.variants(of: input.bytes).enumerated() {
                FuzzInput.$name.withValue("\(input.name), variant \(number)") { target.run(bytes) }
                await Task.yield()
            }
        }
    }
}
