import ArgumentParser

/// How large a request may be.
struct RequestSettings: SettingsTopic {
    @Option(
        setting: "MAX_REQUEST_SIZE", .bytes(100_000...1_073_741_824), default: 2_000_000,
        "Bytes of a request's body, as sent and again after decompression.")
    var maxRequestSize: Setting<Int>

    @Option(
        setting: "MAX_BATCH_SIZE", .bytes(100_000...1_073_741_824), default: 67_108_864,
        "Bytes of a batch of steps (application/x-ndjson), as sent and again after decompression.")
    var maxBatchSize: Setting<Int>

    @Option(
        setting: "MAX_SCALARS", .count(1...100_000), default: 1000, "Scalars of a step posted to /api/v2.")
    var maxScalars: Setting<Int>

    @Option(
        setting: "MAX_METRICS", .count(12...10_000), default: 128,
        "Metrics of a step posted to /api/v2, and names of its vectors.")
    var maxMetrics: Setting<Int>

    @Option(
        setting: "MAX_EXPANSION_RATIO", .count(1...100_000), default: 1000,
        "Ratio of decompressed to compressed size that a compressed body may reach.")
    var maxExpansionRatio: Setting<Int>

    @Option(
        setting: "MAX_BODY_MEMORY",
        .bytes(0...Int.max, note: "0 means 268435456, or four times MAX_REQUEST_SIZE if that is more"), default: 0,
        "Bytes of all request bodies in progress together. Above it, requests are answered with 503.")
    var maxBodyMemory: Setting<Int>

    @Option(
        setting: "MAX_HEADER_SIZE", .bytes(1024...1_048_576), default: 32_768,
        "Bytes of a request line and its header fields together.")
    var maxHeaderSize: Setting<Int>

    @Option(
        setting: "MAX_HEADER_COUNT", .count(10...10_000), default: 100, "Number of header fields in a request.")
    var maxHeaderCount: Setting<Int>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&maxRequestSize)
        try reader.read(&maxBatchSize)
        try reader.read(&maxScalars)
        try reader.read(&maxMetrics)
        try reader.read(&maxExpansionRatio)
        try reader.read(&maxBodyMemory)
        try reader.read(&maxHeaderSize)
        try reader.read(&maxHeaderCount)
    }

    func check() throws(SettingsError) {
        if maxBodyMemory.value > 0, maxBodyMemory.value < 2 * maxRequestSize.value {
            throw maxBodyMemory.conflict(
                "is less than twice MAX_REQUEST_SIZE, which is \(maxRequestSize.value): set it to at least "
                    + "\(2 * maxRequestSize.value), so that one body leaves memory for others")
        }
    }

    /// The largest batch for which there is memory: half of it, so that one body leaves memory for others.
    var batchLimit: Int { min(maxBatchSize.value, bodyMemoryLimit / 2) }

    /// `maxBodyMemory` with its value 0 resolved.
    var bodyMemoryLimit: Int {
        maxBodyMemory.value > 0 ? maxBodyMemory.value : max(268_435_456, 4 * maxRequestSize.value)
    }
}
