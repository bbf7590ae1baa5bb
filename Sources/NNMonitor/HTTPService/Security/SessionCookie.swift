import Foundations
import NIOHTTP1

/// The cookie that carries a session's id.
///
/// Cookies ignore ports, so two servers on one host would overwrite each other's cookie. The name therefore includes
/// the local port of the connection.
enum SessionCookie {
    static func name(port: Int) -> String { "nnmonitor_session_\(port)" }

    /// The value of the `Set-Cookie` header that sets the cookie.
    static func beginning(_ id: String, port: Int, secure: Bool, seconds: Int64) -> String {
        "\(self.name(port: port))=\(id); \(self.attributes(secure: secure)); Max-Age=\(seconds)"
    }

    /// The value of the `Set-Cookie` header that removes the cookie.
    static func removal(port: Int, secure: Bool) -> String {
        "\(self.name(port: port))=; \(self.attributes(secure: secure)); Max-Age=0"
    }

    /// Every session id in the request. A request may carry several cookies of one name, for different paths or
    /// domains; a cookie that another site on the same host has set must not hide this server's.
    static func ids(in headers: HTTPHeaders, port: Int) -> [String] {
        guard headers.contains(name: "cookie") else { return [] }
        let name = self.name(port: port)
        return headers["cookie"].flatMap { $0.split(separator: ";") }.compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmed == name else { return nil }
            let id = parts[1].trimmed
            // Session ids have 64 hex digits; other values are not worth a hash.
            return id.utf8.count == 64 ? id : nil
        }
    }

    private static func attributes(secure: Bool) -> String {
        "Path=/; HttpOnly; SameSite=Strict" + (secure ? "; Secure" : "")
    }
}
