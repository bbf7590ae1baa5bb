import SystemPackage

/// Small files, read whole: what the system tells of the process, tokens, settings.
enum TextFile {
    /// The bytes of a file.
    ///
    /// - Throws: why it can't be read.
    static func bytes(of path: String) throws(Errno) -> [UInt8] {
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
            throw error as? Errno ?? .ioError
        }
    }

    /// The text of a file; `nil` when it can't be read, or is no UTF-8.
    static func text(of path: String) -> String? {
        (try? bytes(of: path)).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
