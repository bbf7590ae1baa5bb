package import NIOCore

/// A scope granted to one request. It is checked again while the request has effects: while its body arrives, while its
/// response is sent, and while its WebSocket is open.
package struct AccessGrant: Sendable {
    let authenticator: Authenticator
    let source: Identity.Source
    /// The granted scope.
    package let scope: Scope
    /// The name of the token behind the grant; nil if the server requires no token.
    let tokenName: String?

    /// Creates a grant of `scope` to the identity that `source` refers to.
    package init(authenticator: Authenticator, source: Identity.Source, scope: Scope, tokenName: String? = nil) {
        self.authenticator = authenticator
        self.source = source
        self.scope = scope
        self.tokenName = tokenName
    }

    /// Whether the token or session still exists and still has the scope.
    package var isValid: Bool {
        self.authenticator.identity(of: self.source)?.scopes.contains(self.scope) == true
    }

    /// The response to a request whose grant ended before its handler ran; nil while the grant is valid.
    var refusal: HTTPResponse? {
        guard let identity = self.authenticator.identity(of: self.source) else {
            return .unauthorized("The token is no longer valid or the session has ended; log in again")
        }
        return identity.scopes.contains(self.scope) ? nil : .missingScope(self.scope, identity)
    }

    /// The response to a request that needs another scope than the granted one.
    package func refusal(lacking scope: Scope) -> HTTPResponse {
        guard let identity = self.authenticator.identity(of: self.source) else {
            return .unauthorized("The token or the session has ended; log in again")
        }
        return .missingScope(scope, identity)
    }

    /// The time until the session expires; nil if the grant does not expire (a bearer token, or no token).
    package var timeLeft: TimeAmount? { self.authenticator.timeLeft(of: self.source) }

    /// Calls `onEnd` once, on any thread, when a reload, a logout or an eviction ends the grant. Expiry is not
    /// reported: use `timeLeft`.
    ///
    /// - Parameter onEnd: must not block. It may be called before this method returns.
    /// - Returns: the observation, which can be cancelled.
    package func observe(_ onEnd: @escaping @Sendable () -> Void) -> GrantObservation {
        GrantObservation(grant: self, number: self.authenticator.observe(self, onEnd: onEnd))
    }
}

/// An observation of a grant. The observer is retained until the observation is cancelled or the grant ends.
package struct GrantObservation: Sendable {
    fileprivate let grant: AccessGrant
    fileprivate let number: UInt64

    /// Cancels the observation. An `onEnd` call that is already running on another thread is not stopped.
    package func cancel() { self.grant.authenticator.cancelObservation(self.number, of: self.grant) }
}

/// The observers of grants, indexed by source and scope. The end of one session visits only its own observers, and a
/// check of a token takes time proportional to its scopes, not to its observers.
struct GrantObservers {
    private typealias Observers = [UInt64: @Sendable () -> Void]

    private var observers: [Identity.Source: [Scope: Observers]] = [:]
    private var lastNumber: UInt64 = 0

    var count: Int { self.observers.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } } }
    var sources: [Identity.Source] { Array(self.observers.keys) }

    mutating func add(_ source: Identity.Source, _ scope: Scope, _ onEnd: @escaping @Sendable () -> Void) -> UInt64 {
        self.lastNumber += 1
        self.observers[source, default: [:]][scope, default: [:]][self.lastNumber] = onEnd
        return self.lastNumber
    }

    mutating func remove(_ number: UInt64, of source: Identity.Source, _ scope: Scope) {
        self.observers[source]?[scope]?[number] = nil
        if self.observers[source]?[scope]?.isEmpty == true { self.removeAll(of: source, scope) }
    }

    /// Removes the observers of `source` whose scope is not in `scopes`.
    ///
    /// - Returns: the `onEnd` closures of the removed observers, for the caller to call.
    mutating func removeObservers(of source: Identity.Source, lacking scopes: ScopeSet) -> [@Sendable () -> Void] {
        var ended: [@Sendable () -> Void] = []
        for (scope, observers) in self.observers[source] ?? [:] where !scopes.contains(scope) {
            ended += observers.values
            self.removeAll(of: source, scope)
        }
        return ended
    }

    private mutating func removeAll(of source: Identity.Source, _ scope: Scope) {
        self.observers[source]?[scope] = nil
        if self.observers[source]?.isEmpty == true { self.observers[source] = nil }
    }
}
