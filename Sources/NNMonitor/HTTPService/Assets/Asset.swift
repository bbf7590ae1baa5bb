import NIOCore
import NIOHTTP1

/// A static file in memory.
struct Asset: Sendable {
    /// The scope that the file requires; nil if it is served without a token.
    var scope: Scope?
    /// The only path at which the page is served; nil if the file is no page.
    var pagePath: String?
    var contentType: String
    var bytes: ByteBuffer
    /// The content compressed with gzip; nil if compression saves too little.
    var compressed: ByteBuffer?
    /// The strong entity tag, with quotes. The tag of the compressed content has the suffix `-gz`.
    var entityTag: String
    /// The modification time in seconds since 1970.
    var modified: Int

    /// Whether the file is a page, on which browsers log in (`PageLogin`).
    var isPage: Bool { self.pagePath != nil }

    var compressedEntityTag: String { self.entityTag.dropLast() + "-gz\"" }

    init(
        name: String, scope: Scope?, pagePath: String?, bytes: ByteBuffer, compressed: ByteBuffer?, modified: Int
    ) {
        self.scope = scope
        self.pagePath = pagePath
        self.contentType = AssetType.contentType(of: name)
        self.bytes = bytes
        self.compressed = compressed
        self.entityTag = Self.entityTag(bytes)
        self.modified = modified
    }

    /// The entity tag of `bytes`: their 64-bit FNV-1a hash and their length. It distinguishes versions and is not a
    /// cryptographic checksum.
    private static func entityTag(_ bytes: ByteBuffer) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes.readableBytesView { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\"" + String(hash, radix: 16) + "-" + String(bytes.readableBytes, radix: 16) + "\""
    }
}

/// Content types by file extension.
enum AssetType {
    private static let types: [String: String] = [
        "html": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "mjs": "text/javascript; charset=utf-8",
        "json": "application/json",
        "map": "application/json",
        "webmanifest": "application/manifest+json",
        "svg": "image/svg+xml; charset=utf-8",
        "txt": "text/plain; charset=utf-8",
        "md": "text/markdown; charset=utf-8",
        "csv": "text/csv; charset=utf-8",
        "xml": "application/xml; charset=utf-8",
        "png": "image/png",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "gif": "image/gif",
        "webp": "image/webp",
        "avif": "image/avif",
        "ico": "image/x-icon",
        "woff": "font/woff",
        "woff2": "font/woff2",
        "ttf": "font/ttf",
        "wasm": "application/wasm",
        "pdf": "application/pdf",
    ]

    static func contentType(of name: String) -> String {
        guard let dot = name.lastIndex(of: ".") else { return "application/octet-stream" }
        return Self.types[name[name.index(after: dot)...].lowercased()] ?? "application/octet-stream"
    }
}
