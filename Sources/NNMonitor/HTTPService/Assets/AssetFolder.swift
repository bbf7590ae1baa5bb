import Compression
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads a folder of static files. It does blocking I/O: call it at start and at reload, never on an event loop.
struct AssetFolder {
    let path: String
    let maximumTotalSize: Int
    let maximumFiles: Int

    /// One file of the folder.
    struct File {
        /// The path relative to the folder, with `/` as separator.
        var name: String
        var bytes: ByteBuffer
        var modified: Int
    }

    /// Reads every file below the folder, except hidden files and folders.
    ///
    /// - Throws: `unusableAssets` if a file cannot be read, a symbolic link leads out of the folder, or a limit is
    ///   exceeded.
    func read() throws(HTTPServiceError) -> [File] {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: self.path, isDirectory: &isDirectory), isDirectory else {
            throw .unusableAssets(path: self.path, reason: "there is no such folder")
        }
        let root = Self.resolved(self.path)
        var files: [File] = []
        var total = 0
        var visited: Set<String> = [root]
        var folders = [(name: "", path: root)]
        while let folder = folders.popLast() {
            let entries: [String]
            do {
                entries = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            } catch {
                throw .unusableAssets(path: folder.path, reason: "the folder cannot be read: \(error)")
            }
            for entry in entries where !entry.hasPrefix(".") {
                let name = folder.name.isEmpty ? entry : folder.name + "/" + entry
                let resolved = Self.resolved(folder.path + "/" + entry)
                guard resolved.hasPrefix(root + "/") else {
                    throw .unusableAssets(path: self.path, reason: "'\(name)' is a link that leaves the folder")
                }
                var isDirectory = false
                guard FileManager.default.fileExists(atPath: resolved, isDirectory: &isDirectory) else {
                    throw .unusableAssets(path: self.path, reason: "'\(name)' is a broken link")
                }
                if isDirectory {
                    if visited.insert(resolved).inserted { folders.append((name, resolved)) }
                    continue
                }
                let file = try self.file(name, at: resolved, limit: self.maximumTotalSize - total)
                total += file.bytes.readableBytes
                files.append(file)
                guard files.count <= self.maximumFiles else {
                    throw .unusableAssets(path: self.path, reason: "it has more than \(self.maximumFiles) files")
                }
            }
        }
        return files
    }

    private func file(_ name: String, at path: String, limit: Int) throws(HTTPServiceError) -> File {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let size = Int(attributes[.size] as? UInt64 ?? 0)
            guard attributes[.type] as? FileAttributeType == .typeRegular, size <= limit else {
                throw HTTPServiceError.unusableAssets(
                    path: self.path,
                    reason: size <= limit
                        ? "'\(name)' is not a regular file" : "it has more than \(self.maximumTotalSize) bytes")
            }
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            guard data.count <= limit else {
                throw HTTPServiceError.unusableAssets(path: self.path, reason: "'\(name)' grew while it was read")
            }
            // Never later than now (RFC 9110 section 8.8.2.1): a future date would also match later versions of the
            // file.
            let modified = min(attributes[.modificationDate] as? Date ?? Date(timeIntervalSince1970: 0), Date())
            return File(
                name: name, bytes: ByteBuffer(bytes: data), modified: Int(modified.timeIntervalSince1970.rounded(.down))
            )
        } catch let error as HTTPServiceError {
            throw error
        } catch {
            throw .unusableAssets(path: self.path, reason: "'\(name)' cannot be read: \(error)")
        }
    }

    private static func resolved(_ path: String) -> String {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        return resolved.count > 1 && resolved.hasSuffix("/") ? String(resolved.dropLast()) : resolved
    }
}
