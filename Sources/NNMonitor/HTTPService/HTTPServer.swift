package import Logging
package import NIOCore
import NIOHTTP1

/// Serves HTTP/1.0 and HTTP/1.1 on the channels that it is installed on. One for all connections; it holds no
/// connection itself and knows neither sockets nor TLS.
package final class HTTPServer: Sendable {
    let configuration: HTTPConfiguration
    let gate: HeadGate
    let log: AccessLog
    let date = DateHeader()
    let decoration: ResponseDecoration
    let compression: ResponseCompression
    let bodies: BodyBudget

    /// - Parameters:
    ///   - configuration: The limits.
    ///   - routes: What is served besides the static files and the login, which come by themselves.
    ///   - authenticator: Who may do what.
    ///   - assets: The static files.
    ///   - logger: Takes the access log, at `info`, and the failures of handlers, at `error`.
    ///   - strangers: Takes the access log of clients that have not shown who they are; made from `logger` when left out.
    /// - Throws: `invalidPattern` or `duplicateRoute` for routes that can't be used.
    package init(
        configuration: HTTPConfiguration, routes: [Route], authenticator: Authenticator, assets: StaticAssets,
        logger: Logger, strangers: FoldedLog? = nil
    ) throws(HTTPServiceError) {
        let login = LoginRoutes(authenticator: authenticator, assets: assets, cors: configuration.cors)
        self.configuration = configuration
        self.gate = HeadGate(
            configuration: configuration, router: try Router(routes + login.routes), authenticator: authenticator,
            assets: assets)
        self.log = AccessLog(logger: logger, strangers: strangers ?? FoldedLog(logger: logger))
        self.bodies = BodyBudget(
            limit: configuration.maximumBodyMemory, stallTime: configuration.bodyStallTimeout)
        self.decoration = ResponseDecoration(
            cors: configuration.cors, serverName: configuration.serverName, hstsMaxAge: configuration.hstsMaxAge)
        self.compression = ResponseCompression(
            threshold: configuration.compressionThreshold, level: configuration.compressionLevel)
    }

    /// Adds the HTTP handlers at the end of a channel's pipeline. Call it on the channel's event loop, before the client's
    /// first bytes for HTTP come; the time for the first head begins now.
    ///
    /// Half-closure is switched on: a client may close its sending side and still get its answer. An upgrade switches
    /// it off again.
    /// - Parameters:
    ///   - channel: The connection.
    ///   - secure: Whether it is TLS.
    /// - Throws: NIO's error when the channel is already closed.
    package func install(on channel: any Channel, secure: Bool) throws {
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        let peer = channel.remoteAddress?.ipAddress ?? "local"
        let connection = HTTPConnection(
            server: self, peer: peer, port: channel.localAddress?.port ?? 0, secure: secure)
        let input = InputHandler(connection: connection)
        let decoder = self.makeDecoder()
        connection.codec = HTTPConnection.Codec(input: input, decoder: decoder)
        try channel.pipeline.syncOperations.addHandlers([input, decoder, connection])
    }

    /// A decoder for the requests of one connection.
    func makeDecoder() -> ByteToMessageHandler<HTTPRequestDecoder> {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = self.configuration.maximumHeaderBytes
        limits.maxHeaderListSize = self.configuration.maximumHeaderBytes
        limits.maxHeaderFieldCount = self.configuration.maximumHeaderCount
        return ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
    }
}
