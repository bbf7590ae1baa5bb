import MonitorCore
import NIOCore

/// The messages that go to one subscriber alone (wire contract, part I, section 4).
enum SubscriberMessages {
    static let pong = ByteBuffer(string: "{\"type\":\"pong\"}")

    static func error(_ message: String) -> ByteBuffer {
        var writer = JSONWriter()
        writer.literal("{\"type\":\"error\",\"message\":")
        writer.string(message)
        writer.literal("}")
        return ByteBuffer(bytes: writer.bytes)
    }

    static func lagged(_ skipped: Int) -> ByteBuffer {
        var writer = JSONWriter()
        writer.literal("{\"type\":\"lagged\",\"skipped\":")
        writer.integer(Int64(skipped))
        writer.literal("}")
        return ByteBuffer(bytes: writer.bytes)
    }

    static func initialRuns(_ runs: [RunSummary]) -> ByteBuffer {
        var writer = JSONWriter()
        writer.literal("{\"type\":\"initial_runs\",\"data\":")
        RunEncoder.appendListing(runs, to: &writer)
        writer.literal("}")
        return ByteBuffer(bytes: writer.bytes)
    }
}
