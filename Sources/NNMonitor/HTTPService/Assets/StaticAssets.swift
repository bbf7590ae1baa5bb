import Compression
import NIOCore
import Foundations

/// The files of the dashboard, read into memory at start. A request is answered by the exact name of a file that was
/// there then, so no path can lead anywhere else.
///
/// `index.html`, `login.html` and `docs.html` are the pages `/`, `/login` and `/docs`; `openapi.json` and `favicon.ico`
/// are at the root too; every file is under `/static/`.
package final class StaticAssets: Sendable {
    private let folder: AssetFolder?
    private let assets: Guarded<[ByteString: Asset]>

    /// Reads a folder.
    /// - Parameters:
    ///   - directory: The folder's path.
    ///   - maximumTotalSize: Bytes of all files together.
    ///   - maximumFiles: How many there may be.
    /// - Throws: `HTTPServiceError.unusableAssets`.
    package convenience init(
        directory: String, maximumTotalSize: Int = 64 * 1024 * 1024, maximumFiles: Int = 4_096
    ) throws(HTTPServiceError) {
        self.init(
            try Self.contents(of: directory, maximumTotalSize: maximumTotalSize, maximumFiles: maximumFiles))
    }

    /// The files of a folder as they were read. They are not compressed yet.
    package struct Contents: Sendable {
        fileprivate let folder: AssetFolder
        fileprivate let files: [AssetFolder.File]
    }

    /// Reads a folder and does nothing else, so that only the file system decides how long it takes.
    /// - Parameters:
    ///   - directory: The folder's path.
    ///   - maximumTotalSize: Bytes of all files together.
    ///   - maximumFiles: How many there may be.
    /// - Returns: What is in it.
    /// - Throws: `HTTPServiceError.unusableAssets`.
    package static func contents(
        of directory: String, maximumTotalSize: Int = 64 * 1024 * 1024, maximumFiles: Int = 4_096
    ) throws(HTTPServiceError) -> Contents {
        let folder = AssetFolder(path: directory, maximumTotalSize: maximumTotalSize, maximumFiles: maximumFiles)
        return Contents(folder: folder, files: try folder.read())
    }

    /// Serves the files of a folder that was read before. They are compressed here: not on an event loop.
    package init(_ contents: Contents) {
        self.folder = contents.folder
        self.assets = Guarded(Self.table(of: contents.files))
    }

    /// Files that are given instead of read, by name.
    package init(files: [String: String] = [:], modified: Int = 0) {
        self.folder = nil
        self.assets = Guarded(
            Self.table(
                of: files.map { name, text in
                    AssetFolder.File(name: name, bytes: ByteBuffer(string: text), modified: modified)
                }))
    }

    /// Reads the folder again and puts all of it in place at once; when that fails, what there was stays.
    package func reload() throws(HTTPServiceError) {
        if let contents = try self.read() { self.use(contents) }
    }

    /// Reads the folder again, without a change for requests; nil when the files come from no folder.
    package func read() throws(HTTPServiceError) -> Contents? {
        guard let folder = self.folder else { return nil }
        return Contents(folder: folder, files: try folder.read())
    }

    /// Puts files that were read before in place, all at once. They are compressed here: not on an event loop.
    package func use(_ contents: Contents) {
        let table = Self.table(of: contents.files)
        self.assets.withLock { $0 = table }
    }

    /// The asset at a decoded path.
    func asset(at path: String) -> Asset? {
        self.assets.withLock { $0[ByteString(path)] }
    }

    /// The files that have an address of their own besides the one under `/static/`, and who may read them.
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

    /// The gzip form, when it saves at least a tenth.
    private static func compressed(_ file: AssetFolder.File) -> ByteBuffer? {
        guard file.bytes.readableBytes > 256, MediaType.isCompressible(AssetType.contentType(of: file.name)) else {
            return nil
        }
        var output = ByteBuffer()
        do {
            var deflater = try Deflater(format: .gzip, level: 9)
            try deflater.deflate(file.bytes, into: &output, flush: .finish)
        } catch {
            // Without memory for it the plain form is sent.
            return nil
        }
        return output.readableBytes < file.bytes.readableBytes / 10 * 9 ? output : nil
    }
}
