import HTTPService
import Logging
import NIOCore
import NIOPosix
import TLS
import ServiceLifecycle
import SystemPackage

/// Listens, sets each connection up, and ends in good order: no new connections, requests finished and their steps
/// broadcast, subscribers sent what waits and closed with 1001.
struct Listener: Service {
    let settings: Settings
    let group: any EventLoopGroup
    let registry: ConnectionRegistry
    let http: HTTPServer
    let tls: TLSContextSource?
    let logger: Logger
    let strangers: FoldedLog
    /// Told of the address once it is listened on.
    let onListening: @Sendable (SocketAddress?) -> Void

    /// Binds the address.
    ///
    /// - Throws: `StartError` that names the address and why it cannot be had.
    private func bind() async throws -> any Channel {
        let handshakeTimeout = TimeAmount(settings.handshakeTimeout)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { [logger] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptPause(room: OpenFiles.roomForConnections(), logger: logger))
                }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [registry, tls, http, strangers] channel in
                guard registry.admit(channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    guard let tls else { return try http.install(on: channel, secure: false) }
                    try channel.pipeline.syncOperations.addHandlers([
                        TLSServerHandler(
                            context: tls.current, handshakeTimeout: handshakeTimeout,
                            plaintextAnswer: HTTPSRequired.response(to:)),
                        AfterHandshake(http: http, strangers: strangers),
                    ])
                }
            }
        do {
            return try await bootstrap.bind(host: settings.host, port: settings.port).get()
        } catch let error as IOError {
            let reason = Errno(rawValue: error.errnoCode)
            throw StartError("cannot listen on \(settings.host) port \(settings.port): \(reason)")
        } catch {
            throw StartError("cannot listen on \(settings.host) port \(settings.port): \(error)")
        }
    }

    func run() async throws {
        let channel = try await bind()
        onListening(channel.localAddress)
        try await withGracefulShutdownHandler {
            try await channel.closeFuture.get()
        } onGracefulShutdown: {
            channel.close(promise: nil)
        }
        logger.info("stopping", metadata: ["connections": "\(registry.count)"])
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await registry.finishRequests()
                await registry.endSubscribers()
            }
            group.addTask { try? await Task.sleep(for: settings.shutdownGrace) }
            await group.next()
            // Whoever is left has used up the grace. Closing them lets the other child end too.
            await registry.closeAll()
            group.cancelAll()
        }
        logger.info("stopped")
    }
}
