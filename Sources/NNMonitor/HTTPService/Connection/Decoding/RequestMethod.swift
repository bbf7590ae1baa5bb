import NIOHTTP1

extension HTTPMethod {
    /// The methods that are recognized, besides the four most frequent ones. Others get 501.
    private static let recognized: Set<String> = [
        "ACL", "BIND", "CHECKOUT", "CONNECT", "COPY", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY", "MKCALENDAR",
        "MKCOL", "MOVE", "NOTIFY", "OPTIONS", "PATCH", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND",
        "REPORT", "SEARCH", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
    ]

    /// Creates a method from its name, which is case-sensitive.
    ///
    /// - Throws: `methodUnknown`; `versionNotSupported` for `PRI`, the preface of HTTP/2.
    init(_ name: Span<UInt8>) throws(RequestFailure) {
        if name.isEqual(to: "GET") {
            self = .GET
        } else if name.isEqual(to: "POST") {
            self = .POST
        } else if name.isEqual(to: "HEAD") {
            self = .HEAD
        } else if name.isEqual(to: "DELETE") {
            self = .DELETE
        } else {
            let text = name.text
            guard text != "PRI" else { throw .versionNotSupported }
            guard Self.recognized.contains(text) else { throw .methodUnknown }
            self = HTTPMethod(rawValue: text)
        }
    }
}
