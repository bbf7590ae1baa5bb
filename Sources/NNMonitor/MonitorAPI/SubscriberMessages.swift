import MonitorCore
import NIOCore

/// The messages that are sent to one subscriber alone (API.md, "WebSocket: GET /ws").
enum SubscriberMessages {
    /// The answer to `ping`.
    static let pong = ByteBuffer(string: "{\"type\":\"pong\"}")

    /// An error message: the client's action could not be carried out.
    static func error(_ message: String) -> ByteBuffer {
        var writer = JSONWriter()
        writer.literal("{\"type\":\"error\",\"message\":")
        writer.string(message)
        writer.literal("}")
        return ByteBuffer(bytes: writer.bytes)
    }

    /// The number of messages that were dropped because the subscriber reads too slowly.
    static func lagged(_ skipped: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal("{\"type\":\"lagged\",\"skipped\":")
        writer.integer(Int64(skipped))
        writer.literal("}")
        return writer.bytes
    }

    /// The answer to `watch`.
    static func watching(_ request: WatchRequest) -> ByteBuffer {
        var writer = JSONWriter()
        LiveMessages.appendWatching(request, to: &writer)
        return ByteBuffer(bytes: writer.bytes)
    }

    /// The layers of a step's structure.
    static func structure(_ record: StepRecord, of runID: RunID) -> ByteBuffer {
        var writer = JSONWriter()
        LiveMessages.appendStructure(record, of: runID, to: &writer)
        return ByteBuffer(bytes: writer.bytes)
    }

    /// The listing of runs, the first message of every session.
    static func initialRuns(_ runs: [RunSummary]) -> ByteBuffer {
        var writer = JSONWriter()
        writer.literal("{\"type\":\"initial_runs\",\"data\":")
        RunListEncoder.appendListing(runs, to: &writer)
        writer.literal("}")
        return ByteBuffer(bytes: writer.bytes)
    }
}
