package import Logging
package import NIOCore
package import Turns

/// Serves HTTP/1.0 and HTTP/1.1 on the channels on which it is installed. One instance serves all connections; it
/// retains no connection and is independent of sockets and TLS.
package final class HTTPServer: Sendable {
    let configuration: HTTPConfiguration
    let gate: HeadGate
    let log: AccessLog
    let date = DateHeader()
    let decoration: ResponseDecoration
    let compression: ResponseCompression
    let bodies: BodyBudget
    /// Connections that have received more requests than one turn answers.
    let turns: TurnQueues

    /// Creates a server.
    ///
    /// - Parameters:
    ///   - configuration: the limits.
    ///   - routes: the routes, without the static files.
    ///   - authenticator: checks tokens and sessions.
    ///   - assets: the static files.
    ///   - login: how browsers log in to pages; nil answers 401 where a page requires a token.
    ///   - logger: receives the access log at `info` and the failures of handlers at `error`.
    ///   - foldedLog: receives the access log of unauthenticated clients; by default a folded log that writes to
    ///     `logger`.
    ///   - turns: the queues of connections that wait for their turn.
    /// - Throws: `invalidPattern` or `duplicateRoute` for unusable routes.
    package init(
        configuration: HTTPConfiguration, routes: [Route], authenticator: Authenticator, assets: StaticAssets,
        login: (any PageLogin)? = nil, logger: Logger, foldedLog: FoldedLog? = nil,
        turns: TurnQueues = TurnQueues()
    ) throws(HTTPServiceError) {
        self.configuration = configuration
        self.gate = HeadGate(
            configuration: configuration, router: try Router(routes), authenticator: authenticator,
            assets: assets, login: login)
        self.log = AccessLog(logger: logger, foldedLog: foldedLog ?? FoldedLog(logger: logger))
        self.turns = turns
        self.bodies = BodyBudget(
            limit: configuration.maximumBodyMemory, stallTime: configuration.bodyStallTimeout)
        self.decoration = ResponseDecoration(
            cors: configuration.cors, serverName: configuration.serverName, hstsMaxAge: configuration.hstsMaxAge)
        self.compression = ResponseCompression(
            threshold: configuration.compressionThreshold, level: configuration.compressionLevel)
    }

    /// Adds the HTTP handler at the end of a channel's pipeline. Call it on the channel's event loop, before the first
    /// HTTP bytes arrive; the timeout of the first head starts now.
    ///
    /// Enables half-closure: a client may close its sending side and still receive its response. An upgrade disables it
    /// again.
    ///
    /// - Parameters:
    ///   - channel: the connection.
    ///   - secure: whether the connection is TLS.
    /// - Throws: NIO's error if the channel is already closed.
    package func install(on channel: any Channel, secure: Bool) throws {
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        let peer = channel.remoteAddress?.ipAddress ?? "local"
        let connection = HTTPConnection(
            server: self, peer: peer, port: channel.localAddress?.port ?? 0, secure: secure)
        try channel.pipeline.syncOperations.addHandler(connection)
    }
}
