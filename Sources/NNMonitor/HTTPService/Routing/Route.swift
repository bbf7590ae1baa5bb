package import NIOCore
package import NIOHTTP1

/// What kind of body a route takes; anything else is answered before the body is read.
package enum BodyPolicy: Sendable, Equatable {
    /// A body, if there is one, is read and thrown away.
    case none
    /// `application/json`, `application/*+json` or no content type; inflated; up to `maximumRequestSize`.
    case json
    /// `application/x-www-form-urlencoded`, small: the login's form.
    case form
}

/// What an upgrade route says to a request.
package enum UpgradeDecision: Sendable {
    /// 101 is written with `headers` (which carry `Upgrade` and `Connection`), the HTTP handlers leave the pipeline,
    /// and `install` runs on the event loop. What the client has sent already is handed to what it installs.
    case accept(headers: HTTPHeaders, install: @Sendable (any Channel) -> EventLoopFuture<Void>)
    case reject(HTTPResponse)
}

/// One method of one path pattern, and who may use it.
package struct Route: Sendable {
    typealias Handler = @Sendable (HTTPRequest) async throws -> HTTPResponse
    typealias Upgrader = @Sendable (HTTPRequestHead, HTTPRequest) -> UpgradeDecision

    enum Action: Sendable {
        case handle(BodyPolicy, Handler)
        case upgrade(Upgrader)
    }

    let method: HTTPMethod
    let pattern: String
    let scope: Scope?
    let action: Action

    /// A route that answers.
    /// - Parameters:
    ///   - method: GET also serves HEAD.
    ///   - pattern: Literal segments and `{name}`s, each of which captures one segment: `/api/v1/runs/{run_id}`.
    ///   - scope: The scope that the asker's token must have; nil needs no token.
    ///   - body: What kind of body the route takes.
    ///   - handler: Runs in a task of its own, cancelled when the client goes. A thrown `HTTPError` is its answer; any
    ///     other error is logged and answered 500.
    /// - Returns: The route.
    package static func on(
        _ method: HTTPMethod, _ pattern: String, scope: Scope?, body: BodyPolicy = .none,
        handler: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse
    ) -> Route {
        Route(method: method, pattern: pattern, scope: scope, action: .handle(body, handler))
    }

    /// A route that hands the connection to another protocol. It is called for every GET of its pattern, on the event
    /// loop, and so must not wait; a request that doesn't ask for an upgrade can only be rejected.
    package static func upgrade(
        _ pattern: String, scope: Scope?,
        handler: @escaping @Sendable (HTTPRequestHead, HTTPRequest) -> UpgradeDecision
    ) -> Route {
        Route(method: .GET, pattern: pattern, scope: scope, action: .upgrade(handler))
    }

    var isUpgrade: Bool {
        if case .upgrade = self.action { true } else { false }
    }
}
