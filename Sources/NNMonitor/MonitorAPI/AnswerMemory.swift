import MonitorCore

/// What an answer needs in memory at once, in bytes, as it counts against `MAX_READ_MEMORY`.
enum AnswerMemory {
    /// Buffers of the connection, and the objects of the task that produces the answer.
    private static let base = 16 << 10
    /// zlib's state for one stream (zlib.h: 256 KiB for the default window), and its output.
    private static let deflater = 288 << 10

    /// A streamed history over HTTP: the text of a chunk, and a copy that waits for the client.
    ///
    /// - Parameters:
    ///   - snapshot: the memory of the snapshot beside its steps.
    ///   - chunk: the size of a chunk.
    ///   - isCompressed: whether the body is compressed.
    ///   - isSecure: whether the connection is TLS, which keeps a further copy.
    /// - Returns: the bytes to reserve.
    static func history(snapshot: Int, chunk: Int, isCompressed: Bool, isSecure: Bool) -> Int {
        base + snapshot + chunk * (isSecure ? 3 : 2) + (isCompressed ? deflater : 0)
    }

    /// The rows and buckets of an answer before it is known which of them exist.
    ///
    /// - Parameters:
    ///   - snapshot: the memory of the snapshot beside its steps.
    ///   - rows: the largest number of rows.
    ///   - points: the largest number of buckets.
    /// - Returns: the bytes to reserve.
    static func plan(snapshot: Int, rows: Int, points: Int) -> Int {
        let row = MemoryLayout<SeriesRow>.stride + MemoryLayout<SeriesAnswer.Row>.stride
        return base + snapshot + rows * row + points * 2 * MemoryLayout<Int64>.stride
    }

    /// What a comparison notes of its layers and buckets while it reads the steps.
    ///
    /// - Parameters:
    ///   - snapshots: the memory of both snapshots beside their steps.
    ///   - layers: the largest number of layers.
    ///   - points: the largest number of buckets.
    /// - Returns: the bytes to reserve.
    static func comparison(snapshots: Int, layers: Int, points: Int) -> Int {
        // A layer has its id, twice, its value and its places in two tables.
        base + snapshots + layers * 256 + points * 2 * 24
    }

    /// A history over WebSocket: `HistoryMessage` has two pieces under way, each as text and as a frame, while one is
    /// encoded.
    ///
    /// - Parameters:
    ///   - snapshot: the memory of the snapshot beside its steps.
    ///   - piece: the size of a piece.
    ///   - isCompressed: whether the message is compressed.
    ///   - structures: the number of structures that are sent before it, one after the other.
    ///   - largestStructure: the size of the largest of their messages.
    /// - Returns: the bytes to reserve.
    static func message(
        snapshot: Int, piece: Int, isCompressed: Bool, structures: Int = 0, largestStructure: Int = 0
    ) -> Int {
        // A structure is there as text, as a frame, and as a frame that waits in the connection.
        base + snapshot + piece * 5 + (isCompressed ? 2 * deflater : 0)
            + structures * MemoryLayout<StepRecord>.stride + largestStructure * 3
    }

    /// An answer that is produced at once: its text, and a copy while it is made.
    static func whole(_ size: Int) -> Int { base + 2 * size }

    /// The expected size of the list of runs.
    static func listing(_ runs: Int) -> Int { 64 + runs * 200 }
}
