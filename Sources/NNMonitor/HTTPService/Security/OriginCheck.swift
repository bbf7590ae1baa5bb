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
/// - **With a bearer token** nothing is checked: no browser adds one by itself, so a foreign page that has it was
///   given it.
/// - **Without any token (open mode)** a page of any site that the user visits can reach a server on loopback.
///   With the policy `*` it may: it could read every answer anyway, so refusing posts or upgrades would protect
///   nothing; the user who wants protection sets a token or lists origins. With a list of origins, a foreign `Origin`
///   that is not listed by name is refused for upgrades (which CORS does not cover) and unsafe methods (a "simple"
///   cross-origin POST is sent without a preflight). No `Origin` means no browser, and passes.
/// - **DNS rebinding.** A page of `evil.example` whose name is made to point to 127.0.0.1 has this server as its "own
///   origin": `Origin` equals `scheme://Host`. It has no token and the browser has no cookie for that name, so with
///   tokens there is nothing to win. In open mode with a list, only the name gives it away: `allowedHosts` refuses
///   names that are not this server's (an IP literal can't be rebound). With `*` there is again nothing to protect.
enum OriginCheck {
    /// How strictly a request is judged.
    enum Rule {
        /// Only the server's own pages.
        case ownOrigin
        /// Only what is known to be foreign is refused: login and logout forms, and open mode.
        case notForeign(CORSPolicy)
    }

    /// The rule for a request by `identity`, or nil when its origin doesn't matter.
    static func rule(for identity: Identity, policy: CORSPolicy, acts: Bool) -> Rule? {
        guard acts else { return nil }
        switch identity.source {
        case .bearer: return nil
        case .cookie: return .ownOrigin
        case .open: return policy == .any ? nil : .notForeign(policy)
        }
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

    /// Whether `origin` is `scheme://Host` of this request; default ports may be left out on either side.
    private static func isOwn(_ origin: String, headers: HTTPHeaders, secure: Bool) -> Bool {
        guard let host = headers.first(name: "host")?.trimmed else { return false }
        let scheme = secure ? "https://" : "http://"
        let defaultPort = secure ? ":443" : ":80"
        func normalized(_ text: String) -> String {
            let lower = text.lowercased()
            return lower.hasSuffix(defaultPort) ? String(lower.dropLast(defaultPort.count)) : lower
        }
        return normalized(origin) == scheme + normalized(host)
    }
}
