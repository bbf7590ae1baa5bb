import NIOCore
import NIOHTTP1

extension HeadGate {
    enum Authorization {
        case granted(AccessGrant)
        case refused(HTTPResponse)
    }

    /// Checks the identity, the scope and the origin of a request. If a page is requested without an identity, the
    /// response is a redirect to the login.
    func authorize(_ context: RequestContext, scope: Scope, action: OriginCheck.Action, isPage: Bool) -> Authorization {
        let headers = context.head.headers
        switch self.authenticator.identify(headers, peer: context.peer, port: context.port) {
        case .known(let identity):
            context.caller.isKnown = true
            guard identity.scopes.contains(scope) else { return .refused(.missingScope(scope, identity)) }
            if let rule = OriginCheck.rule(for: identity.source, policy: self.configuration.cors, action: action),
                !OriginCheck.passes(headers, secure: context.secure, rule: rule)
            {
                var isSession = false
                if case .cookie = identity.source { isSession = true }
                return .refused(.foreignOrigin(headers, secure: context.secure, mayBeListed: !isSession))
            }
            return .granted(
                AccessGrant(
                    authenticator: self.authenticator, source: identity.source, scope: scope,
                    tokenName: identity.source == .open ? nil : identity.name))
        case .absent:
            return .refused(isPage ? .redirect(to: "/login") : .unauthorized("A token is needed"))
        case .wrong:
            return .refused(.unauthorized("The token is not valid"))
        case .limited(let seconds):
            return .refused(.tooManyFailures(seconds: seconds))
        }
    }

    /// The response to a GET or HEAD of a static file.
    func answer(_ context: RequestContext, with asset: Asset) -> Admission {
        let isPage = asset.access == .page || context.target.path == "/login"
        if isPage, let token = context.target.token {
            return .answer(self.login(context, token: token))
        }
        if let length = context.head.framing.length, length > self.configuration.maximumRequestSize {
            return .answer(BodyFailure.tooLarge(limit: self.configuration.maximumRequestSize).response)
        }
        if asset.access != .open {
            switch self.authorize(context, scope: .read, action: .reading, isPage: asset.access == .page) {
            case .granted: break
            case .refused(let response): return .answer(response)
            }
        }
        return .answer(asset.response(to: context.head.method, context.head.headers))
    }

    /// Handles a login by link (`/?token=T`). Unless the address is over the failure limit, the response is a redirect
    /// that removes the token from the address bar.
    private func login(_ context: RequestContext, token: String) -> HTTPResponse {
        let location = context.target.path == "/login" ? "/" : context.target.location(without: "token")
        guard !self.authenticator.isOpen else { return .redirect(to: location) }
        guard OriginCheck.isOwnNavigation(context.head.headers) else { return .redirect(to: "/login?foreign") }
        switch self.authenticator.check(token, peer: context.peer) {
        case .valid(let entry):
            var response = HTTPResponse.redirect(to: location)
            response.headers.add(
                name: "Set-Cookie",
                value: self.authenticator.beginSession(for: entry, port: context.port, secure: context.secure))
            return response
        case .wrong: return .redirect(to: "/login?failed")
        case .limited(let seconds): return .tooManyFailures(seconds: seconds)
        }
    }
}
