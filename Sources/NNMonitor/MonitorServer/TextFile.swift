import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Small files, read whole: figures of the process, tokens, settings.
enum TextFile {
    /// Why a file cannot be read.
    enum Failure: Error, Equatable, CustomStringConvertible {
        case system(Errno)
        /// A pipe, a device or a folder.
        case notRegular

        var description: String {
            switch self {
            case .system(let error): "\(error)"
            case .notRegular: "it is not a regular file"
            }
        }
    }

    /// The bytes of a file. A pipe or device is refused before it is opened, which could wait without end.
    static func bytes(of path: String) throws(Failure) -> [UInt8] {
        var facts = stat()
        // The path is lent to the call as a C string, and `facts` is a local.
        guard unsafe stat(path, &facts) == 0 else { throw .system(Errno(rawValue: errno)) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly)
            return try file.closeAfter {
                // The size is not asked for: files under /proc have none.
                var bytes: [UInt8] = []
                var piece = [UInt8](repeating: 0, count: 16_384)
                while true {
                    // The pointer is into `piece`, which outlives the call.
                    let count = unsafe try piece.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
                    if count == 0 { return bytes }
                    bytes += piece[..<count]
                }
            }
        } catch {
            // The package's calls throw nothing else.
            throw .system(error as? Errno ?? .ioError)
        }
    }

    /// The text of a file; `nil` when it can't be read, or is no UTF-8.
    static func text(of path: String) -> String? {
        (try? bytes(of: path)).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
