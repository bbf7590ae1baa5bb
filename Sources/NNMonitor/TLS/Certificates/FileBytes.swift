#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reading and writing small files; the one place of the module that looks at `errno`.
enum FileBytes {
    /// What went wrong, in terms of what the operator can mend.
    enum Failure: Error {
        case noSuchFile
        case noPermission
        case other(String)

        init(errno code: CInt) {
            switch code {
            case ENOENT, ENOTDIR: self = .noSuchFile
            case EACCES, EPERM: self = .noPermission
            // The text is static, or the thread's own until its next call; it is copied here.
            default: self = unsafe .other(String(cString: strerror(code)))
            }
        }

        /// The reason as one phrase.
        var reason: String {
            switch self {
            case .noSuchFile: "no such file or folder"
            case .noPermission: "permission denied"
            case .other(let text): text
            }
        }
    }

    /// A certificate file is some kilobytes, a bundle of authorities some hundred; nothing sensible is larger.
    static let maximumSize = 4 << 20

    /// The whole of a file of at most `maximumSize` bytes. It may be a private key: no copy of it stays in memory.
    static func read(_ path: String) throws(Failure) -> SecretBytes {
        // The path is lent to the call as a C string.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        defer { close(descriptor) }
        // More room for as long as the file fills it: what is left behind is wiped.
        var used = 0
        var bytes = unsafe SecretBytes(count: 0) { _ in }
        repeat {
            guard bytes.count <= maximumSize else { throw .other("it is larger than \(maximumSize) bytes") }
            let before = bytes
            bytes = unsafe try SecretBytes(count: min(max(16_384, before.count * 4), maximumSize + 1)) {
                (room) throws(Failure) in
                // Both are valid until the closure ends, and the new one is the larger.
                unsafe before.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
                used += unsafe try fill(UnsafeMutableRawBufferPointer(rebasing: room[used...]), from: descriptor)
            }
        } while used == bytes.count
        return bytes.copy(count: used)
    }

    /// Reads until the room is full or the file ends.
    private static func fill(_ room: UnsafeMutableRawBufferPointer, from descriptor: CInt) throws(Failure) -> Int {
        var used = 0
        while used < room.count {
            // The call writes at most as much as is left of the room, which the caller answers for.
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

    /// Puts a file in place in one step: a reader sees the old content or the new, never a part. The mode is set
    /// before the first byte is written, whatever the umask.
    static func replace(_ path: String, with bytes: SecretBytes, mode: mode_t) throws(Failure) {
        let temporary = "\(path).\(getpid()).new"
        // Here and below: paths are lent to the calls as C strings.
        unsafe unlink(temporary)
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        do throws(Failure) {
            defer { close(descriptor) }
            guard fchmod(descriptor, mode) == 0 else { throw Failure(errno: errno) }
            var written = 0
            while written < bytes.count {
                let count = unsafe bytes.withUnsafeBytes { all in
                    // The call only reads what is left, which is valid until the closure ends.
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

    /// Sets the mode of a file that exists.
    static func setMode(_ path: String, _ mode: mode_t) throws(Failure) {
        // The path is lent to the call as a C string.
        guard unsafe chmod(path, mode) == 0 else { throw Failure(errno: errno) }
    }

    /// Makes a folder and those above it, as far as they are missing.
    static func makeDirectory(_ path: String) throws(Failure) {
        // Here and below: the path is lent to the call as a C string.
        if unsafe mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        let code = errno
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw Failure(errno: code)
        }
        try makeDirectory(String(path[..<slash]))
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Failure(errno: errno) }
    }

    /// Seconds since 1970, by the system's clock.
    static var unixTime: Int { time(nil) }
}

/// `read(2)`, under a name that the method above does not hide.
private func systemRead(_ descriptor: CInt, _ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    // The caller answers for the target's room.
    unsafe read(descriptor, target, count)
}
