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

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&maxConnections)
        try reader.read(&maxConnectionsPerAddress)
        try reader.read(&handshakeTimeout)
        try reader.read(&headerTimeout)
        try reader.read(&bodyTimeout)
        try reader.read(&bodyStallTimeout)
        try reader.read(&idleTimeout)
        try reader.read(&writeTimeout)
    }
}
