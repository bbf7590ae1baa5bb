import NIOCore
import NIOHTTP1

extension HeadGate {
    enum Authorization {
        case granted(Identity)
        case refused(HTTPResponse)
    }

    /// Whether the asker may use `scope`. A request that `acts` does something or opens a channel, so that its origin
    /// matters; a page is shown by a browser, which without an identity is sent to the login.
    func authorize(_ asker: Asker, scope: Scope, acts: Bool, isPage: Bool) -> Authorization {
        switch self.authenticator.identify(asker.head.headers, peer: asker.peer) {
        case .known(let identity):
            asker.caller.isKnown = true
            guard identity.scopes.contains(scope) else {
                return .refused(
                    .error(
                        .forbidden, code: "forbidden",
                        message: "The token '\(identity.name)' lacks the scope '\(scope.rawValue)'"))
            }
            if let rule = OriginCheck.rule(for: identity, policy: self.configuration.cors, acts: acts),
                !OriginCheck.passes(asker.head.headers, secure: asker.secure, rule: rule)
            {
                return .refused(.foreignOrigin)
            }
            return .granted(identity)
        case .absent:
            return .refused(isPage ? .redirect(to: "/login") : .unauthorized("A token is needed"))
        case .wrong:
            return .refused(.unauthorized("The token is not valid"))
        case .limited(let seconds):
            return .refused(.tooManyFailures(seconds: seconds))
        }
    }

    /// The answer to a GET of a static file.
    func answer(_ asker: Asker, with asset: Asset) -> Admission {
        let isPage = asset.access == .page || asker.target.path == "/login"
        if isPage, let token = asker.target.query.last(where: { $0.name == "token" })?.value {
            return .answer(self.login(asker, token: token))
        }
        if let length = BodyFraming(asker.head.headers).length, length > self.configuration.maximumRequestSize {
            return .answer(BodyFailure.tooLarge(limit: self.configuration.maximumRequestSize).response)
        }
        if asset.access != .open {
            switch self.authorize(asker, scope: .read, acts: false, isPage: asset.access == .page) {
            case .granted: break
            case .refused(let response): return .answer(response)
            }
        }
        return .answer(asset.response(to: asker.head.method, asker.head.headers))
    }

    /// A login by link: `/?token=T`. Whatever comes of it, the token leaves the address bar.
    private func login(_ asker: Asker, token: String) -> HTTPResponse {
        let location = asker.target.path == "/login" ? "/" : asker.target.location(without: "token")
        guard !self.authenticator.isOpen else { return .redirect(to: location) }
        switch self.authenticator.check(token, peer: asker.peer) {
        case .valid(let entry):
            var response = HTTPResponse.redirect(to: location)
            response.headers.add(
                name: "Set-Cookie", value: self.authenticator.beginSession(for: entry, secure: asker.secure))
            return response
        case .wrong: return .redirect(to: "/login?failed")
        case .limited(let seconds): return .tooManyFailures(seconds: seconds)
        }
    }
}
