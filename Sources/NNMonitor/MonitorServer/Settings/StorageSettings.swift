import ArgumentParser

/// How many metrics the server keeps in memory.
struct StorageSettings: SettingsTopic {
    @Option(
        setting: "MAX_RUNS", .count(1...100_000), default: 1000,
        "Runs to keep. Above it, the least recently updated run is evicted.")
    var maxRuns: Setting<Int>

    @Option(
        setting: "MAX_STEPS_PER_RUN", .count(10...1_000_000), default: 1000,
        "Steps to keep of one run. Above it, the lowest step is dropped; its numbers stay in the buckets of series.")
    var maxStepsPerRun: Setting<Int>

    @Option(
        setting: "MAX_MEMORY", .memory, default: nil,
        "Bytes of stored metrics, answers under way and their snapshots. Stored metrics above their part evict the least "
            + "recently updated run.")
    var maxMemory: Setting<Int?>

    @Option(
        setting: "MAX_NAMES_PER_RUN", .count(100...1_000_000), default: 10_000,
        "Names of metrics, scalars and vectors, and layer ids, of one run. Further ones are ignored.")
    var maxNamesPerRun: Setting<Int>

    @Option(
        setting: "MAX_READ_MEMORY",
        .bytes(0...Int.max, note: "0 means a quarter of MAX_MEMORY, at least 4194304"), default: 0,
        "Bytes of MAX_MEMORY for answers under way and for removed steps that they contain. Above it, reads are answered "
            + "with 503.")
    var maxReadMemory: Setting<Int>

    @Option(
        setting: "MEMORY_TRIM_INTERVAL", .seconds, default: .seconds(5),
        "Time between checks that return freed memory to the system.")
    var memoryTrimInterval: Setting<Duration>

    /// The least memory for answers: enough for one of a few thousand layers a step, whatever `MAX_MEMORY` is.
    private static let leastReadLimit = 4_194_304

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&maxRuns)
        try reader.read(&maxStepsPerRun)
        try reader.read(&maxMemory)
        try reader.read(&maxNamesPerRun)
        try reader.read(&maxReadMemory)
        try reader.read(&memoryTrimInterval)
    }

    func check() throws(SettingsError) {
        if memoryLimit > 0, maxReadMemory.value > memoryLimit / 2 {
            throw maxReadMemory.conflict(
                "is more than half of MAX_MEMORY, which is \(memoryLimit): set it to at most \(memoryLimit / 2), so that "
                    + "memory for metrics is left")
        }
    }

    /// The limit of stored bytes, answers and snapshots together, with `auto` resolved; 0 means no limit of stored
    /// bytes.
    var memoryLimit: Int { maxMemory.value ?? MachineMemory.defaultLimit }

    /// The part of `memoryLimit` for stored metrics; 0 means no limit. Readers cannot make it smaller, so they evict no
    /// run.
    var storedLimit: Int {
        guard memoryLimit > 0 else { return 0 }
        return max(1, memoryLimit - (maxReadMemory.value > 0 ? maxReadMemory.value : memoryLimit / 4))
    }

    /// The part of `memoryLimit` for answers under way and their snapshots.
    var readLimit: Int {
        if maxReadMemory.value > 0 { return maxReadMemory.value }
        // Without a limit, as much as with the default one.
        let whole = memoryLimit > 0 ? memoryLimit : MachineMemory.defaultLimit
        return max(Self.leastReadLimit, whole / 4)
    }
}
