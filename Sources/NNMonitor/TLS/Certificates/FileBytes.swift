#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads and writes small files; the only code of the module that reads `errno`.
enum FileBytes {
    /// A failed system call, by what the operator can do about it.
    enum Failure: Error {
        case noSuchFile
        case noPermission
        case notRegular
        case other(String)

        init(errno code: CInt) {
            switch code {
            case ENOENT, ENOTDIR: self = .noSuchFile
            case EACCES, EPERM: self = .noPermission
            // The text is static or thread-local; it is copied here.
            default: self = unsafe .other(String(cString: strerror(code)))
            }
        }

        /// The reason as one phrase.
        var reason: String {
            switch self {
            case .noSuchFile: "no such file or folder"
            case .noPermission: "permission denied"
            case .notRegular: "it is not a regular file"
            case .other(let text): text
            }
        }
    }

    /// The maximum size of a file in bytes. A certificate file has some kilobytes, a bundle of authorities some
    /// hundred.
    static let maximumSize = 4 << 20

    /// Reads a whole regular file of at most `maximumSize` bytes. It may be a private key, so no other copy stays in
    /// memory.
    ///
    /// A pipe or a device is refused before it is opened: opening one can block for ever.
    static func read(_ path: String) throws(Failure) -> SecretBytes {
        var facts = stat()
        // Here and below: the path is passed as a C string for the duration of the call, and `facts` is a local.
        guard unsafe stat(path, &facts) == 0 else { throw Failure(errno: errno) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        defer { close(descriptor) }
        // Grow the buffer until the file no longer fills it; each smaller buffer is overwritten when it is freed.
        var used = 0
        var bytes = unsafe SecretBytes(count: 0) { _ in }
        repeat {
            guard bytes.count <= maximumSize else { throw .other("it is larger than \(maximumSize) bytes") }
            let before = bytes
            bytes = unsafe try SecretBytes(count: min(max(16_384, before.count * 4), maximumSize + 1)) {
                (room) throws(Failure) in
                // Both buffers are valid during the closure, and the new one is larger.
                unsafe before.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
                used += unsafe try fill(UnsafeMutableRawBufferPointer(rebasing: room[used...]), from: descriptor)
            }
        } while used == bytes.count
        return bytes.copy(count: used)
    }

    /// Reads until the buffer is full or the file ends.
    private static func fill(_ room: UnsafeMutableRawBufferPointer, from descriptor: CInt) throws(Failure) -> Int {
        var used = 0
        while used < room.count {
            // The system writes at most `rest.count` bytes to `rest`.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[used...])
            let count = unsafe systemRead(descriptor, rest.baseAddress, rest.count)
            if count == 0 { return used }
            if count > 0 {
                used += count
            } else if errno != EINTR {
                throw Failure(errno: errno)
            }
        }
        return used
    }

    /// Replaces a file atomically: readers see the old content or the new. The mode is set before the first byte is
    /// written, independently of the umask.
    static func replace(_ path: String, with bytes: SecretBytes, mode: mode_t) throws(Failure) {
        let temporary = "\(path).\(getpid()).new"
        // Paths are passed as C strings for the duration of the calls.
        unsafe unlink(temporary)
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        do throws(Failure) {
            defer { close(descriptor) }
            guard fchmod(descriptor, mode) == 0 else { throw Failure(errno: errno) }
            var written = 0
            while written < bytes.count {
                let count = unsafe bytes.withUnsafeBytes { all in
                    // The system reads `rest`, which is valid during the closure.
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: all[written...])
                    return unsafe write(descriptor, rest.baseAddress, rest.count)
                }
                if count < 0 {
                    if errno == EINTR { continue }
                    throw Failure(errno: errno)
                }
                written += count
            }
            guard fsync(descriptor) == 0 else { throw Failure(errno: errno) }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        guard unsafe rename(temporary, path) == 0 else {
            let failure = Failure(errno: errno)
            unsafe unlink(temporary)
            throw failure
        }
    }

    /// Sets the mode of an existing file.
    static func setMode(_ path: String, _ mode: mode_t) throws(Failure) {
        // The path is passed as a C string for the duration of the call.
        guard unsafe chmod(path, mode) == 0 else { throw Failure(errno: errno) }
    }

    /// Makes a directory and its missing parents.
    static func makeDirectory(_ path: String) throws(Failure) {
        // The path is passed as a C string for the duration of the calls.
        if unsafe mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        let code = errno
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw Failure(errno: code)
        }
        try makeDirectory(String(path[..<slash]))
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Failure(errno: errno) }
    }

    /// Unix time in seconds, by the system's clock.
    static var unixTime: Int { time(nil) }
}

/// `read(2)`, under a name that the method `read` does not shadow.
private func systemRead(_ descriptor: CInt, _ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    // The caller guarantees `count` bytes at `target`.
    unsafe read(descriptor, target, count)
}
