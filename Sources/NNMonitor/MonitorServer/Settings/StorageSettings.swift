import ArgumentParser

/// How many metrics the server keeps in memory.
struct StorageSettings: SettingsTopic {
    @Option(
        setting: "MAX_RUNS", .count(1...100_000), default: 1000,
        "Runs to keep. Above it, the least recently updated run is evicted.")
    var maxRuns: Setting<Int>

    @Option(
        setting: "MAX_STEPS_PER_RUN", .count(10...1_000_000), default: 1000,
        "Steps to keep of one run. Above it, the lowest step is dropped.")
    var maxStepsPerRun: Setting<Int>

    @Option(
        setting: "MAX_MEMORY", .memory, default: nil,
        "Bytes of stored metrics. Above it, the least recently updated run is evicted.")
    var maxMemory: Setting<Int?>

    @Option(
        setting: "MAX_NAMES_PER_RUN", .count(100...1_000_000), default: 10_000,
        "Names of metrics, scalars and vectors, and layer ids, of one run. Further ones are ignored.")
    var maxNamesPerRun: Setting<Int>

    @Option(
        setting: "MEMORY_TRIM_INTERVAL", .seconds, default: .seconds(5),
        "Time between checks that return freed memory to the system.")
    var memoryTrimInterval: Setting<Duration>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&maxRuns)
        try reader.read(&maxStepsPerRun)
        try reader.read(&maxMemory)
        try reader.read(&maxNamesPerRun)
        try reader.read(&memoryTrimInterval)
    }

    /// The limit of stored bytes, with `auto` resolved; 0 means no limit.
    var memoryLimit: Int { maxMemory.value ?? MachineMemory.defaultLimit }
}
