import NIOCore
import NIOHTTP1

extension HeadGate {
    enum Authorization {
        case granted(AccessGrant)
        case refused(HTTPResponse)
    }

    /// Checks the identity, the scope and the origin of a request. If a page is requested without an identity, the
    /// response is the login's challenge.
    func authorize(_ asker: Asker, scope: Scope, action: OriginCheck.Action, isPage: Bool) -> Authorization {
        let headers = asker.head.headers
        switch self.authenticator.identify(headers, peer: asker.peer, port: asker.port) {
        case .known(let identity):
            asker.caller.isKnown = true
            guard identity.scopes.contains(scope) else { return .refused(.missingScope(scope, identity)) }
            if let rule = OriginCheck.rule(for: identity.source, policy: self.configuration.cors, action: action),
                !OriginCheck.passes(headers, secure: asker.secure, rule: rule)
            {
                var isSession = false
                if case .cookie = identity.source { isSession = true }
                return .refused(.foreignOrigin(headers, secure: asker.secure, mayBeListed: !isSession))
            }
            return .granted(
                AccessGrant(
                    authenticator: self.authenticator, source: identity.source, scope: scope,
                    tokenName: identity.source == .open ? nil : identity.name))
        case .absent:
            let challenge = isPage ? self.login?.challenge : nil
            return .refused(challenge ?? .unauthorized("A token is needed"))
        case .wrong:
            return .refused(.unauthorized("The token is not valid"))
        case .limited(let seconds):
            return .refused(.tooManyFailures(seconds: seconds))
        }
    }

    /// The response to a GET or HEAD of a static file.
    func answer(_ asker: Asker, with asset: Asset) -> Admission {
        if asset.isPage, let response = self.loginByLink(asker) { return .answer(response) }
        if let length = BodyFraming(asker.head.headers).length, length > self.configuration.maximumRequestSize {
            return .answer(BodyFailure.tooLarge(limit: self.configuration.maximumRequestSize).response)
        }
        if let scope = asset.scope {
            switch self.authorize(asker, scope: scope, action: .reading, isPage: asset.isPage) {
            case .granted: break
            case .refused(let response): return .answer(response)
            }
        }
        return .answer(asset.response(to: asker.head.headers))
    }

    /// The login's response to a request for a page whose query carries credentials.
    private func loginByLink(_ asker: Asker) -> HTTPResponse? {
        guard let login = self.login, let rawQuery = asker.target.rawQuery else { return nil }
        let request = HTTPRequest(
            method: asker.head.method, path: asker.target.path, query: asker.target.query,
            headers: asker.head.headers, peer: asker.peer, port: asker.port, secure: asker.secure)
        return login.response(to: request, rawQuery: rawQuery)
    }
}
