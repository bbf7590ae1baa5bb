import ArgumentParser

/// How many connections may be open, and for how long.
struct ConnectionSettings: SettingsTopic {
    @Option(
        setting: "MAX_CONNECTIONS", .count(1...1_000_000), default: 16_384, "Open connections at once.")
    var maxConnections: Setting<Int>

    @Option(
        setting: "MAX_CONNECTIONS_PER_ADDRESS", .count(1...1_000_000), default: 1024,
        "Open connections at once from one client address.")
    var maxConnectionsPerAddress: Setting<Int>

    @Option(
        setting: "HANDSHAKE_TIMEOUT", .seconds, default: .seconds(10),
        "Time for a TLS handshake, from the first byte of the connection.")
    var handshakeTimeout: Setting<Duration>

    @Option(
        setting: "HEADER_TIMEOUT", .seconds, default: .seconds(10),
        "Total time for a request line and its header fields to arrive.")
    var headerTimeout: Setting<Duration>

    @Option(
        setting: "BODY_TIMEOUT", .seconds, default: .seconds(60), "Total time for a request's body to arrive.")
    var bodyTimeout: Setting<Duration>

    @Option(
        setting: "BODY_STALL_TIMEOUT", .seconds, default: .seconds(5),
        "Time in which an unfinished body must receive 4096 bytes to keep its memory when other bodies need it.")
    var bodyStallTimeout: Setting<Duration>

    @Option(
        setting: "IDLE_TIMEOUT", .seconds, default: .seconds(75),
        "Time that a connection may stay open between requests.")
    var idleTimeout: Setting<Duration>

    @Option(
        setting: "WRITE_TIMEOUT", .seconds, default: .seconds(60),
        "Time that a client may stop reading a response before its connection is closed.")
    var writeTimeout: Setting<Duration>

    @Option(
        setting: "MIN_READ_RATE", .bytes(0...1_073_741_824, note: "0 means no minimum"), default: 1024,
        "Bytes per second that a client must read while data waits for it, averaged over READ_RATE_WINDOW.")
    var minReadRate: Setting<Int>

    @Option(
        setting: "READ_RATE_WINDOW", .seconds, default: .seconds(60),
        "Time over which MIN_READ_RATE is averaged. Only time in which bytes wait for the client counts.")
    var readRateWindow: Setting<Duration>

    @Option(
        setting: "READ_STALL_TIMEOUT", .seconds, default: .seconds(5),
        "Time after which an answer slower than MIN_READ_RATE may be dropped when other answers need its memory.")
    var readStallTimeout: Setting<Duration>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&maxConnections)
        try reader.read(&maxConnectionsPerAddress)
        try reader.read(&handshakeTimeout)
        try reader.read(&headerTimeout)
        try reader.read(&bodyTimeout)
        try reader.read(&bodyStallTimeout)
        try reader.read(&idleTimeout)
        try reader.read(&writeTimeout)
        try reader.read(&minReadRate)
        try reader.read(&readRateWindow)
        try reader.read(&readStallTimeout)
    }
}
