import HTTPService
import Logging
import NIOCore
import NIOPosix
import OpenSSLTransport
import ServiceLifecycle

/// Listens, sets each connection up, and ends in good order: no new connections, requests finished and their steps
/// broadcast, subscribers sent what waits and closed with 1001.
struct Listener: Service {
    /// The listening socket.
    let channel: any Channel
    let registry: ConnectionRegistry
    let grace: Duration
    let logger: Logger

    /// Binds the address.
    ///
    /// - Throws: `StartError` that names the address and why it cannot be had.
    static func bind(
        _ settings: Settings, group: any EventLoopGroup, registry: ConnectionRegistry, http: HTTPServer,
        tls: TLSContextSource?, logger: Logger
    ) async throws -> Listener {
        let handshakeTimeout = TimeAmount(settings.handshakeTimeout)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                guard registry.admit(channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            TLSServerHandler(context: tls.current, handshakeTimeout: handshakeTimeout))
                    }
                    try http.install(on: channel, secure: tls != nil)
                }
            }
        do {
            let channel = try await bootstrap.bind(host: settings.host, port: settings.port).get()
            return Listener(channel: channel, registry: registry, grace: settings.shutdownGrace, logger: logger)
        } catch let error as IOError {
            let reason = String(cString: strerror(error.errnoCode))
            throw StartError("cannot listen on \(settings.host) port \(settings.port): \(reason)")
        } catch {
            throw StartError("cannot listen on \(settings.host) port \(settings.port): \(error)")
        }
    }

    func run() async throws {
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
            group.addTask { try? await Task.sleep(for: grace) }
            await group.next()
            // Whoever is left has used up the grace. Closing them lets the other child end too.
            await registry.closeAll()
            group.cancelAll()
        }
        logger.info("stopped")
    }
}
