import Foundations
import NIOHTTP1

/// The cookie that carries a session's id.
///
/// Cookies ignore ports: two servers on one host would overwrite each other's. So the name carries the port that this
/// server listens on, as the connection's own end shows it.
enum SessionCookie {
    static func name(port: Int) -> String { "nnmonitor_session_\(port)" }

    /// The value of the `Set-Cookie` header that begins a session.
    static func beginning(_ id: String, port: Int, secure: Bool, seconds: Int64) -> String {
        "\(self.name(port: port))=\(id); \(self.attributes(secure: secure)); Max-Age=\(seconds)"
    }

    /// The value of the `Set-Cookie` header that removes the cookie.
    static func removal(port: Int, secure: Bool) -> String {
        "\(self.name(port: port))=; \(self.attributes(secure: secure)); Max-Age=0"
    }

    /// Every id that the request presents. There may be several cookies of one name, for different paths or domains; one
    /// that another site of the same host has set must not hide this server's.
    static func ids(in headers: HTTPHeaders, port: Int) -> [String] {
        guard headers.contains(name: "cookie") else { return [] }
        let name = self.name(port: port)
        return headers["cookie"].flatMap { $0.split(separator: ";") }.compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmed == name else { return nil }
            let id = parts[1].trimmed
            // No id of this server has another length; such a value is not worth a hash.
            return id.utf8.count == 64 ? id : nil
        }
    }

    private static func attributes(secure: Bool) -> String {
        "Path=/; HttpOnly; SameSite=Strict" + (secure ? "; Secure" : "")
    }
}
