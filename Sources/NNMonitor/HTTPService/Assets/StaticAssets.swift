import Compression
import NIOCore
import Foundations

/// The files of the dashboard, held in memory. A request path is only a key into the table of the files that were read,
/// so no path leads to any other file.
///
/// `index.html`, `login.html` and `docs.html` are served as `/`, `/login` and `/docs`; `openapi.json` and `favicon.ico`
/// are served at the root; every file is also served under `/static/`.
package final class StaticAssets: Sendable {
    private let folder: AssetFolder?
    private let assets: Locked<[ByteString: Asset]>

    /// Reads and compresses the files of a folder.
    ///
    /// - Parameters:
    ///   - directory: the folder's path.
    ///   - maximumTotalSize: the maximum size of all files together, in bytes.
    ///   - maximumFiles: the maximum number of files.
    /// - Throws: `HTTPServiceError.unusableAssets`.
    package convenience init(
        directory: String, maximumTotalSize: Int = 64 * 1024 * 1024, maximumFiles: Int = 4_096
    ) throws(HTTPServiceError) {
        self.init(
            try Self.contents(of: directory, maximumTotalSize: maximumTotalSize, maximumFiles: maximumFiles))
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
    package init(_ contents: Contents) {
        self.folder = contents.folder
        self.assets = Locked(Self.table(of: contents.files))
    }

    /// Serves files given as text, for tests.
    ///
    /// - Parameters:
    ///   - files: the contents, by name.
    ///   - modified: the modification time of all files in seconds since 1970.
    package init(files: [String: String] = [:], modified: Int = 0) {
        self.folder = nil
        self.assets = Locked(
            Self.table(
                of: files.map { name, text in
                    AssetFolder.File(name: name, bytes: ByteBuffer(string: text), modified: modified)
                }))
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
        let table = Self.table(of: contents.files)
        self.assets.withLock { $0 = table }
    }

    /// The asset at a percent-decoded path.
    func asset(at path: String) -> Asset? {
        self.assets.withLock { $0[ByteString(path)] }
    }

    /// The files that are served at a path of their own besides `/static/`, and the access that they require.
    static let roots: [String: (path: String, access: Asset.Access)] = [
        "index.html": ("/", .page), "docs.html": ("/docs", .page), "login.html": ("/login", .open),
        "openapi.json": ("/openapi.json", .api), "favicon.ico": ("/favicon.ico", .open),
    ]

    private static func table(of files: [AssetFolder.File]) -> [ByteString: Asset] {
        var table: [ByteString: Asset] = [:]
        for file in files {
            let root = Self.roots[file.name]
            let asset = Asset(
                name: file.name, access: root?.access ?? .open, bytes: file.bytes,
                compressed: Self.compressed(file), modified: file.modified)
            table[ByteString("/static/" + file.name)] = asset
            if let root { table[ByteString(root.path)] = asset }
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
