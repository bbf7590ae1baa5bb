import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads small files whole: settings, tokens, and files under `/proc`.
enum TextFile {
    /// Why a file cannot be read.
    enum Failure: Error, Equatable, CustomStringConvertible {
        case system(Errno)
        /// The path leads to a pipe, a device or a folder.
        case notRegular

        var description: String {
            switch self {
            case .system(let error): "\(error)"
            case .notRegular: "it is not a regular file"
            }
        }
    }

    /// The bytes of a file. Refuses a pipe or device before opening it, because open(2) could block forever.
    static func bytes(of path: String) throws(Failure) -> [UInt8] {
        var status = stat()
        // The path is passed as a C string and `status` is a local, both for the call only.
        guard unsafe stat(path, &status) == 0 else { throw .system(Errno(rawValue: errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly)
            return try file.closeAfter {
                // Reads to the end instead of using the size: files under /proc report none.
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
            // The calls of swift-system throw no other type.
            throw .system(error as? Errno ?? .ioError)
        }
    }

    /// The text of a file; `nil` when it cannot be read or is not UTF-8.
    static func text(of path: String) -> String? {
        (try? bytes(of: path)).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
