package import NIOCore
package import NIOHTTP1

/// The body that a route accepts. Requests with another content type are rejected before their body is read.
package enum BodyPolicy: Sendable, Equatable {
    /// Any body is read and discarded.
    case none
    /// `application/json`, `application/*+json` or no content type; decompressed; at most `maximumRequestSize` bytes.
    case json
    /// As `json`, or `application/x-ndjson` with at most `maximumBatchSize` bytes. The handler decompresses lines
    /// itself (`HTTPRequest.lines`): so long a body would delay the other connections of the event loop.
    case jsonOrLines
    /// `application/x-www-form-urlencoded`, at most `maximumFormSize` bytes.
    case form
}

/// The decision of an upgrade route.
package enum UpgradeDecision: Sendable {
    /// Sends 101 with `headers` (which must include `Upgrade` and `Connection`), removes the HTTP handlers, and runs
    /// `install` on the event loop. Input that has already arrived is passed to the installed handlers.
    case accept(headers: HTTPHeaders, install: @Sendable (any Channel) -> EventLoopFuture<Void>)
    /// Sends the response; the connection continues with HTTP.
    case reject(HTTPResponse)
}

/// A method and path pattern, with the required scope and the handler.
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
    /// Another scope that suffices instead of `scope`.
    let alternative: Scope?
    let action: Action
    /// Counts refused requests and received bytes.
    let observer: (any RouteObserver)?

    private init(
        method: HTTPMethod, pattern: String, scope: Scope?, alternative: Scope? = nil, action: Action,
        observer: (any RouteObserver)? = nil
    ) {
        self.method = method
        self.pattern = pattern
        self.scope = scope
        self.alternative = alternative
        self.action = action
        self.observer = observer
    }

    /// Creates a route that returns a response.
    ///
    /// - Parameters:
    ///   - method: the method. GET also serves HEAD.
    ///   - pattern: literal segments and placeholders; a placeholder matches one segment: `/files/{name}`.
    ///   - scope: the scope that the client's token must have; nil requires no token.
    ///   - alternative: another scope that suffices. The handler then checks `AccessGrant.scope`.
    ///   - body: the body that the route accepts.
    ///   - observer: counts refused requests and received bytes.
    ///   - handler: runs in its own task, which is cancelled if the client disconnects. A thrown `HTTPError` sends its
    ///     response; any other error is logged and sends 500.
    /// - Returns: the route.
    package static func on(
        _ method: HTTPMethod, _ pattern: String, scope: Scope?, or alternative: Scope? = nil,
        body: BodyPolicy = .none, observer: (any RouteObserver)? = nil,
        handler: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse
    ) -> Route {
        Route(
            method: method, pattern: pattern, scope: scope, alternative: alternative, action: .handle(body, handler),
            observer: observer)
    }

    /// Creates a GET route that changes the connection's protocol.
    ///
    /// - Parameters:
    ///   - pattern: the path pattern, as in `on(_:_:scope:body:handler:)`.
    ///   - scope: the scope that the client's token must have; nil requires no token.
    ///   - handler: runs on the event loop for every GET of the pattern, so it must not block. A request without
    ///     an upgrade can only be rejected.
    /// - Returns: the route.
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
