import Foundations

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where lines go: a file descriptor that takes what it is given at once with one write(2), so that lines never mix.
final class LogOutput: Sendable {
    private let descriptor: Int32
    private let turn = Guarded<Void>(())

    /// The process's standard error.
    static let standardError = LogOutput(descriptor: STDERR_FILENO)

    /// The process's standard output.
    static let standardOutput = LogOutput(descriptor: STDOUT_FILENO)

    /// An output on a descriptor that stays open as long as the output is used.
    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Writes one line, or several, and waits for whoever reads them. A log that nobody can read is no reason to stop: errors end the line and nothing else.
    func put(_ line: [UInt8]) {
        turn.withLock { _ in
            unsafe line.withUnsafeBytes { bytes in
                var rest = unsafe bytes[...]
                while unsafe !rest.isEmpty {
                    // The pointer is into `line`, which outlives the call.
                    let written = unsafe write(
                        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if written > 0 {
                        unsafe rest = unsafe rest.dropFirst(written)
                    } else if written < 0, errno == EAGAIN {
                        // Somebody made the terminal or pipe non-blocking: wait for room, as it would by itself.
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
