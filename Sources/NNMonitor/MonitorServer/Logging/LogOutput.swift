import Foundations

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file descriptor that lines are written to, each call in one piece, so that lines never mix.
final class LogOutput: Sendable {
    private let descriptor: Int32
    private let lock = Locked<Void>(())

    /// The process's standard error.
    static let standardError = LogOutput(descriptor: STDERR_FILENO)

    /// The process's standard output.
    static let standardOutput = LogOutput(descriptor: STDOUT_FILENO)

    /// - Parameter descriptor: A descriptor that stays open as long as the output is used.
    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Writes one line or several, and blocks until the reader takes them. An error discards the rest of the line and
    /// nothing else: a log that cannot be written must not stop the server.
    func put(_ line: [UInt8]) {
        lock.withLock { _ in
            unsafe line.withUnsafeBytes { bytes in
                var rest = unsafe bytes[...]
                while unsafe !rest.isEmpty {
                    // The pointer is into `line`, which outlives the call.
                    let written = unsafe write(
                        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if written > 0 {
                        unsafe rest = unsafe rest.dropFirst(written)
                    } else if written < 0, errno == EAGAIN {
                        // Another process made the terminal or pipe non-blocking: block in poll(2) instead.
                        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        guard unsafe poll(&entry, 1, -1) > 0 || errno == EINTR else { return }
                    } else if written == 0 || errno != EINTR {
                        return
                    }
                }
            }
        }
    }
}
