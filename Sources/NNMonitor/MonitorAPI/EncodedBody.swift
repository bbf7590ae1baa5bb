import MonitorCore
import NIOCore

/// Encodes a short body on the current executor, which may be an event loop, and a long one on the global executor.
///
/// - Parameters:
///   - size: the approximate size of the body, in bytes.
///   - encode: writes the body.
/// - Returns: the body.
func encoded(size: Int, _ encode: @escaping @Sendable (inout JSONWriter) -> Void) async -> ByteBuffer {
    let work = { @Sendable in
        var writer = JSONWriter(capacity: size)
        encode(&writer)
        return ByteBuffer(bytes: writer.bytes)
    }
    if size <= 64 << 10 { return work() }
    return await withTaskExecutorPreference(globalConcurrentExecutor) { work() }
}
