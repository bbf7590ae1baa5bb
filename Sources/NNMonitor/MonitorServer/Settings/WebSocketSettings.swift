import ArgumentParser

/// Limits of subscribers, over WebSocket and over Server-Sent Events.
struct WebSocketSettings: SettingsTopic {
    @Option(
        setting: "WS_MAX_MESSAGE_SIZE", .bytes(1024...67_108_864), default: 65_536,
        "Bytes of a message from a client, after decompression.")
    var maxMessageSize: Setting<Int>

    @Option(
        setting: "WS_MAX_EXPANSION_RATIO", .count(1...100_000), default: 32,
        "Ratio of decompressed to compressed size that a client's message above 16384 bytes may reach.")
    var maxExpansionRatio: Setting<Int>

    @Option(
        setting: "WS_MAX_MESSAGE_RATE", .count(1...1_000_000), default: 200,
        "Messages and control frames that a client may send a second, averaged over 10 seconds.")
    var maxMessageRate: Setting<Int>

    @Option(
        setting: "WS_PING_INTERVAL", .seconds, default: .seconds(20),
        "Time between the pings that keep a connection alive, or the comments in an idle stream of events.")
    var pingInterval: Setting<Duration>

    @Option(
        setting: "WS_PONG_TIMEOUT", .seconds, default: .seconds(20),
        "Time that a client has to answer a ping before its connection is closed.")
    var pongTimeout: Setting<Duration>

    @Option(
        setting: "MAX_SUBSCRIBERS", .count(1...1_000_000), default: 10_000,
        "Subscribers at once, over WebSocket and Server-Sent Events.")
    var maxSubscribers: Setting<Int>

    @Option(
        setting: "SUBSCRIBER_QUEUE", .count(1...1_000_000), default: 256,
        "Messages that may wait for a slow subscriber. Above it, the subscriber misses steps.")
    var subscriberQueue: Setting<Int>

    @Option(
        setting: "SUBSCRIBER_QUEUE_BYTES", .bytes(65_536...1_073_741_824), default: 16_777_216,
        "Bytes that may wait for a slow subscriber. Above it, the subscriber misses steps.")
    var subscriberQueueBytes: Setting<Int>

    @Option(
        setting: "SUBSCRIBER_STALL_TIMEOUT", .seconds, default: .seconds(30),
        "Time that a subscriber may stop reading before its connection is closed.")
    var subscriberStallTimeout: Setting<Duration>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&maxMessageSize)
        try reader.read(&maxExpansionRatio)
        try reader.read(&maxMessageRate)
        try reader.read(&pingInterval)
        try reader.read(&pongTimeout)
        try reader.read(&maxSubscribers)
        try reader.read(&subscriberQueue)
        try reader.read(&subscriberQueueBytes)
        try reader.read(&subscriberStallTimeout)
    }
}
