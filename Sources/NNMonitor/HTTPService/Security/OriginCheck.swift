import Foundations
package import NIOHTTP1

/// Decides whether a request may come from its origin.
///
/// The threats, and why each rule suffices:
///
/// - **Cross-site request forgery and WebSocket hijacking with a cookie.** A browser adds the session cookie by itself.
///   `SameSite=Strict` omits it from cross-site requests, but not from requests of another port of the same host.
///   Upgrades and unsafe methods with a cookie must therefore come from this server's own origin: `Origin` equals
///   `scheme://Host`. Browsers send `Origin` with every WebSocket handshake and every unsafe `fetch`. If it is `null`
///   (a form on a page with `Referrer-Policy: no-referrer`) or absent, `Sec-Fetch-Site` must be `same-origin`; scripts
///   cannot set that header. A listed CORS origin is no exception: it must send a bearer token.
/// - **Requests with a bearer token** are not checked: browsers do not add the token by themselves, so a foreign page
///   that sends it was given it. Upgrades are checked as in open mode, so that the same rule protects `/ws` with and
///   without a token.
/// - **Open mode (no token required).** Any page that the user visits can reach a server on loopback. Upgrades (to
///   which CORS does not apply) and unsafe methods (a "simple" cross-origin POST has no preflight) are therefore
///   rejected if their `Origin` is foreign and not listed; the default list is empty. A request without `Origin` passes
///   unless `Sec-Fetch-Site` is foreign: browsers send `Origin` with these requests. With the policy `*`, which must be
///   configured explicitly, every origin passes: it could read every response anyway.
/// - **Login by link (`/?token=T`).** A link or an image on another site could log a browser in to another account, or
///   send wrong tokens. `Sec-Fetch-Site` identifies such requests; they neither log in nor count as failures. Browsers
///   send the header over TLS and to localhost; without it the request is treated as the user's own.
/// - **DNS rebinding.** If the name `evil.example` is made to resolve to 127.0.0.1, its pages have this server as their
///   own origin: `Origin` equals `scheme://Host`. Where tokens are required this gains nothing: the page has no token,
///   and the browser has no cookie for that name. In open mode only the name reveals the attack: `allowedHosts` rejects
///   names that are not this server's. IP literals cannot be rebound.
package enum OriginCheck {
    /// The origins that pass.
    enum Rule {
        /// Only the server's own origin.
        case ownOrigin
        /// Every origin except those known to be foreign. Used for login and logout forms, and in open mode.
        case notForeign(CORSPolicy)
    }

    /// The kind of request, as far as its origin matters.
    enum Action {
        /// GET and HEAD: CORS controls who may read the response.
        case reading
        /// Any other method.
        case changing
        /// A WebSocket handshake.
        case upgrading
    }

    /// The rule for a request; nil if its origin does not matter.
    static func rule(for source: Identity.Source, policy: CORSPolicy, action: Action) -> Rule? {
        switch (source, action) {
        case (_, .reading), (.bearer, .changing): nil
        case (.cookie, _): .ownOrigin
        case (.bearer, .upgrading), (.open, _): policy == .any ? nil : .notForeign(policy)
        }
    }

    /// Whether the user or a page of this server started a navigation. True without `Sec-Fetch-Site`.
    package static func isOwnNavigation(_ headers: HTTPHeaders) -> Bool {
        headers["sec-fetch-site"].allSatisfy { $0.isSame(as: "none") || $0.isSame(as: "same-origin") }
    }

    /// The response to a login or logout form from a foreign page; nil if the form may be handled. The rule is
    /// `.notForeign`, because browsers send neither `Origin` nor `Sec-Fetch-Site` with some forms over plain HTTP.
    package static func refusal(ofForm request: HTTPRequest, policy: CORSPolicy) -> HTTPResponse? {
        guard !self.passes(request.headers, secure: request.secure, rule: .notForeign(policy)) else { return nil }
        return .foreignOrigin(request.headers, secure: request.secure, mayBeListed: false)
    }

    static func passes(_ headers: HTTPHeaders, secure: Bool, rule: Rule) -> Bool {
        let origin = headers.first(name: "origin")
        if let origin, origin != "null" {
            if Self.isOwn(origin, headers: headers, secure: secure) { return true }
            if case .notForeign(let policy) = rule { return policy.lists(origin) }
            return false
        }
        let site = headers.first(name: "sec-fetch-site")
        if origin == "null" { return site == "same-origin" }
        switch rule {
        case .ownOrigin: return site == "same-origin"
        case .notForeign: return site == nil || site == "same-origin" || site == "none"
        }
    }

    /// The origin of this server as the request addresses it: `scheme://Host`. Without `Host`, which HTTP/1.0 allows,
    /// it equals no origin.
    static func ownOrigin(_ headers: HTTPHeaders, secure: Bool) -> String {
        (secure ? "https://" : "http://") + (headers.first(name: "host")?.trimmed ?? "")
    }

    /// Whether `origin` equals `scheme://Host` of this request. Either side may omit the default port.
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
