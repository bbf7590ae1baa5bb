import Foundations
import NIOHTTP1

/// Decides whether a request that does something may come from the page it comes from.
///
/// The threats, and why each rule is enough:
///
/// - **Cross-site request forgery and WebSocket hijacking with a cookie.** A browser adds the session cookie by itself.
///   `SameSite=Strict` keeps it from cross-site requests, but not from another port of the same host. So with a cookie,
///   upgrades and unsafe methods must come from this server's own origin: `Origin` is `scheme://Host`. A browser sends
///   `Origin` with every WebSocket handshake and every unsafe `fetch`; where it says `null` (a form on a page with
///   `Referrer-Policy: no-referrer`) or is absent, `Sec-Fetch-Site`, which no script can set, must say `same-origin`.
///   A listed CORS origin is no exception: it has to show a bearer token.
/// - **With a bearer token** requests are not checked: no browser adds one by itself, so a foreign page that has it was
///   given it. Upgrades are checked as without a token: the rule for `/ws` then holds whatever a client presents.
/// - **Without any token (open mode)** a page of any site that the user visits can reach a server on loopback. So a
///   foreign `Origin` that is not listed by name is refused for upgrades (which CORS does not cover) and unsafe methods
///   (a "simple" cross-origin POST is sent without a preflight). No list is the default. No `Origin` means no browser,
///   and passes. With the policy `*`, which somebody has to set, every origin passes: it could read every answer anyway.
/// - **Login by link (`/?token=T`).** A link or image of another site could log a browser in as somebody else, or have
///   it send wrong tokens. `Sec-Fetch-Site` names such requests; they neither log in nor count. Browsers send it over
///   TLS and to localhost; without it the request is taken for the user's own.
/// - **DNS rebinding.** A page of `evil.example` whose name is made to point to 127.0.0.1 has this server as its "own
///   origin": `Origin` equals `scheme://Host`. It has no token and the browser has no cookie for that name, so with
///   tokens there is nothing to win. In open mode only the name gives it away: `allowedHosts` refuses
///   names that are not this server's (an IP literal can't be rebound).
enum OriginCheck {
    /// How strictly a request is judged.
    enum Rule {
        /// Only the server's own pages.
        case ownOrigin
        /// Only what is known to be foreign is refused: login and logout forms, and open mode.
        case notForeign(CORSPolicy)
    }

    /// What a request does, as far as its origin matters.
    enum Action {
        /// GET and HEAD: CORS decides who may read the answer.
        case reading
        /// Another method.
        case changing
        /// Opens a WebSocket.
        case upgrading
    }

    /// The rule for a request of an identity, or nil when its origin doesn't matter.
    static func rule(for source: Identity.Source, policy: CORSPolicy, action: Action) -> Rule? {
        switch (source, action) {
        case (_, .reading), (.bearer, .changing): nil
        case (.cookie, _): .ownOrigin
        case (.bearer, .upgrading), (.open, _): policy == .any ? nil : .notForeign(policy)
        }
    }

    /// Whether a navigation was begun by the user or by a page of this server, as far as the browser says.
    static func isOwnNavigation(_ headers: HTTPHeaders) -> Bool {
        headers["sec-fetch-site"].allSatisfy { $0.isSame(as: "none") || $0.isSame(as: "same-origin") }
    }

    static func passes(_ headers: HTTPHeaders, secure: Bool, rule: Rule) -> Bool {
        let origin = headers.first(name: "origin")
        if let origin, origin != "null" {
            if Self.isOwn(origin, headers: headers, secure: secure) { return true }
            if case .notForeign(let policy) = rule { return policy.names(origin) }
            return false
        }
        let site = headers.first(name: "sec-fetch-site")
        if origin == "null" { return site == "same-origin" }
        switch rule {
        case .ownOrigin: return site == "same-origin"
        case .notForeign: return site == nil || site == "same-origin" || site == "none"
        }
    }

    /// The origin that a request's own pages have: `scheme://Host`. Without `Host`, which HTTP/1.0 allows, no origin is
    /// equal to it.
    static func ownOrigin(_ headers: HTTPHeaders, secure: Bool) -> String {
        (secure ? "https://" : "http://") + (headers.first(name: "host")?.trimmed ?? "")
    }

    /// Whether `origin` is `scheme://Host` of this request; default ports may be left out on either side.
    private static func isOwn(_ origin: String, headers: HTTPHeaders, secure: Bool) -> Bool {
        guard headers.contains(name: "host") else { return false }
        let defaultPort = secure ? ":443" : ":80"
        func normalized(_ text: String) -> String {
            let lower = text.lowercased()
            return lower.hasSuffix(defaultPort) ? String(lower.dropLast(defaultPort.count)) : lower
        }
        return normalized(origin) == normalized(self.ownOrigin(headers, secure: secure))
    }
}
