import Compression
package import NIOCore
import Foundations

/// Files held in memory. A request path is only a key into the table of the files that were read,
/// so no path leads to any other file.
///
/// Every file is served under `/static/`; those of an `AssetPath` are also served at that path. A page is served at
/// that path only, and the one under `/static/` redirects to it.
package final class StaticAssets: Sendable {
    private let folder: AssetFolder?
    private let paths: [AssetPath]
    private let assets: Locked<[ByteString: Asset]>

    /// Reads and compresses the files of a folder.
    ///
    /// - Parameters:
    ///   - directory: the folder's path.
    ///   - paths: the files with a path of their own.
    ///   - maximumTotalSize: the maximum size of all files together, in bytes.
    ///   - maximumFiles: the maximum number of files.
    /// - Throws: `HTTPServiceError.unusableAssets`.
    package convenience init(
        directory: String, paths: [AssetPath] = [], maximumTotalSize: Int = 64 * 1024 * 1024, maximumFiles: Int = 4_096
    ) throws(HTTPServiceError) {
        self.init(
            try Self.contents(of: directory, maximumTotalSize: maximumTotalSize, maximumFiles: maximumFiles),
            paths: paths)
    }

    /// The files of a folder as read, not yet compressed.
    package struct Contents: Sendable {
        fileprivate let folder: AssetFolder
        fileprivate let files: [AssetFolder.File]
    }

    /// Reads a folder without compressing its files, so that the duration depends only on the file system.
    ///
    /// - Parameters:
    ///   - directory: the folder's path.
    ///   - maximumTotalSize: the maximum size of all files together, in bytes.
    ///   - maximumFiles: the maximum number of files.
    /// - Returns: the files.
    /// - Throws: `HTTPServiceError.unusableAssets`.
    package static func contents(
        of directory: String, maximumTotalSize: Int = 64 * 1024 * 1024, maximumFiles: Int = 4_096
    ) throws(HTTPServiceError) -> Contents {
        let folder = AssetFolder(path: directory, maximumTotalSize: maximumTotalSize, maximumFiles: maximumFiles)
        return Contents(folder: folder, files: try folder.read())
    }

    /// Serves `contents`. Compresses the files, so it must not run on an event loop.
    ///
    /// - Parameters:
    ///   - contents: the files.
    ///   - paths: the files with a path of their own.
    package init(_ contents: Contents, paths: [AssetPath]) {
        self.folder = contents.folder
        self.paths = paths
        self.assets = Locked(Self.table(of: contents.files, paths))
    }

    /// Serves files given as text, for tests.
    ///
    /// - Parameters:
    ///   - files: the contents, by name.
    ///   - paths: the files with a path of their own.
    ///   - modified: the modification time of all files in seconds since 1970.
    package init(files: [String: String] = [:], paths: [AssetPath] = [], modified: Int = 0) {
        self.folder = nil
        self.paths = paths
        self.assets = Locked(
            Self.table(
                of: files.map { name, text in
                    AssetFolder.File(name: name, bytes: ByteBuffer(string: text), modified: modified)
                }, paths))
    }

    /// Reads the folder again and replaces all files at once.
    ///
    /// - Throws: `HTTPServiceError.unusableAssets`; the current files then remain.
    package func reload() throws(HTTPServiceError) {
        if let contents = try self.read() { self.use(contents) }
    }

    /// Reads the folder again without replacing the served files.
    ///
    /// - Returns: the files; nil if the assets were not read from a folder.
    /// - Throws: `HTTPServiceError.unusableAssets`.
    package func read() throws(HTTPServiceError) -> Contents? {
        guard let folder = self.folder else { return nil }
        return Contents(folder: folder, files: try folder.read())
    }

    /// Replaces all files at once. Compresses the new ones, so it must not run on an event loop.
    package func use(_ contents: Contents) {
        let table = Self.table(of: contents.files, self.paths)
        self.assets.withLock { $0 = table }
    }

    /// The asset at a percent-decoded path.
    func asset(at path: String) -> Asset? {
        self.assets.withLock { $0[ByteString(path)] }
    }

    /// The content type and the bytes of the file at a path; nil if there is none.
    package func content(at path: String) -> (contentType: String, bytes: ByteBuffer)? {
        self.asset(at: path).map { ($0.contentType, $0.bytes) }
    }

    private static func table(of files: [AssetFolder.File], _ paths: [AssetPath]) -> [ByteString: Asset] {
        var table: [ByteString: Asset] = [:]
        for file in files {
            let own = paths.first { $0.file == file.name }
            let asset = Asset(
                name: file.name, scope: own?.scope, pagePath: own.flatMap { $0.isPage ? $0.path : nil },
                bytes: file.bytes, compressed: Self.compressed(file), modified: file.modified)
            table[ByteString("/static/" + file.name)] = asset
            if let own { table[ByteString(own.path)] = asset }
        }
        return table
    }

    /// The content compressed with gzip; nil if that saves less than a tenth.
    private static func compressed(_ file: AssetFolder.File) -> ByteBuffer? {
        guard file.bytes.readableBytes > 256, MediaType.isCompressible(AssetType.contentType(of: file.name)) else {
            return nil
        }
        var output = ByteBuffer()
        do {
            var deflater = try Deflater(format: .gzip, level: 9)
            try deflater.deflate(file.bytes, into: &output, flush: .finish)
        } catch {
            // zlib ran out of memory: serve the file uncompressed.
            return nil
        }
        return output.readableBytes < file.bytes.readableBytes / 10 * 9 ? output : nil
    }
}
