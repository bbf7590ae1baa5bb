import NIOCore
import NIOHTTP1

extension HeadGate {
    enum Authorization {
        case granted(AccessGrant)
        case refused(HTTPResponse)
    }

    /// Checks the identity, the scope and the origin of a request. If a page is requested without an identity, the
    /// response is the login's challenge.
    ///
    /// - Parameters:
    ///   - context: the request.
    ///   - scope: the scope that it needs.
    ///   - alternative: another scope that suffices.
    ///   - action: what it does, for the check of the origin.
    ///   - isPage: whether it is for a page.
    /// - Returns: the grant of the scope, or of the alternative if the client lacks the scope.
    func authorize(
        _ context: RequestContext, scope: Scope, or alternative: Scope? = nil, action: OriginCheck.Action, isPage: Bool
    ) -> Authorization {
        let headers = context.head.headers
        switch self.authenticator.identify(headers, peer: context.peer, port: context.port) {
        case .known(let identity):
            context.caller.isKnown = true
            guard let granted = [scope, alternative].compactMap(\.self).first(where: identity.scopes.contains) else {
                return .refused(.missingScope(scope, identity))
            }
            if let rule = OriginCheck.rule(for: identity.source, policy: self.configuration.cors, action: action),
                !OriginCheck.passes(headers, secure: context.secure, rule: rule)
            {
                var isSession = false
                if case .cookie = identity.source { isSession = true }
                return .refused(.foreignOrigin(headers, secure: context.secure, mayBeListed: !isSession))
            }
            return .granted(
                AccessGrant(
                    authenticator: self.authenticator, source: identity.source, scope: granted,
                    tokenName: identity.source == .open ? nil : identity.name))
        case .absent:
            let challenge = isPage ? self.login?.challenge(at: context.target.path) : nil
            return .refused(challenge ?? .unauthorized("A token is required"))
        case .wrong:
            return .refused(.unauthorized("The token is not valid"))
        case .limited(let seconds):
            return .refused(.tooManyFailures(seconds: seconds))
        }
    }

    /// The response to a GET or HEAD of a static file.
    func answer(_ context: RequestContext, with asset: Asset) -> Admission {
        if let path = asset.pagePath, path != context.target.path {
            // The addresses in a page are relative to its own path.
            return .answer(.redirect(to: RelativeReference.to(path, from: context.target.path)))
        }
        if asset.isPage, let response = self.loginByLink(context) { return .answer(response) }
        if let length = context.head.framing.length, length > self.configuration.maximumRequestSize {
            return .answer(BodyFailure.tooLarge(limit: self.configuration.maximumRequestSize).response)
        }
        if let scope = asset.scope {
            switch self.authorize(context, scope: scope, action: .reading, isPage: asset.isPage) {
            case .granted: break
            case .refused(let response): return .answer(response)
            }
        }
        return .answer(asset.response(to: context.head.headers))
    }

    /// The login's response to a request for a page whose query carries credentials.
    private func loginByLink(_ context: RequestContext) -> HTTPResponse? {
        guard let login = self.login, let rawQuery = context.target.rawQuery else { return nil }
        let request = HTTPRequest(
            method: context.head.method, path: context.target.path, query: context.target.query,
            headers: context.head.headers, peer: context.peer, port: context.port, secure: context.secure)
        return login.response(to: request, rawQuery: rawQuery)
    }
}
