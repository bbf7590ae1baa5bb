import SystemPackage

/// Reads small files whole: settings, tokens, and files under `/proc`.
enum TextFile {
    /// The bytes of a file.
    ///
    /// - Throws: The error of open(2) or read(2).
    static func bytes(of path: String) throws(Errno) -> [UInt8] {
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
            throw error as? Errno ?? .ioError
        }
    }

    /// The text of a file; `nil` when it cannot be read or is not UTF-8.
    static func text(of path: String) -> String? {
        (try? bytes(of: path)).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
