import HTTPService
import Logging
import MonitorAPI
import MonitorCore
import NIOCore
import NIOPosix
import TLS
import ServiceLifecycle
import SystemPackage

/// Listens and sets up each connection. On shutdown it stops accepting, finishes requests, whose steps are still
/// broadcast, then sends subscribers their queued messages and closes them with 1001.
struct Listener: Service {
    let settings: Settings
    let group: any EventLoopGroup
    let registry: ConnectionRegistry
    let subscribers: Subscribers
    let http: HTTPServer
    let tls: TLSContextSource?
    let logger: Logger
    /// Logs refused connections and failed handshakes, one line per cause and interval.
    let foldedLog: FoldedLog
    /// Called with the bound address.
    let onListening: @Sendable (SocketAddress?) -> Void

    /// Binds the address.
    ///
    /// - Throws: `StartError` that names the address and why it cannot be bound.
    private func bind() async throws -> any Channel {
        let handshakeTimeout = TimeAmount(settings.connections.handshakeTimeout.value)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { [logger] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoff(capacity: DescriptorLimit.connectionCapacity(), logger: logger))
                }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [registry, tls, http, foldedLog] channel in
                guard registry.admit(channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    guard let tls else { return try http.install(on: channel, secure: false) }
                    try channel.pipeline.syncOperations.addHandlers([
                        TLSHandler(
                            context: tls.current, handshakeTimeout: handshakeTimeout,
                            plaintextAnswer: HTTPSRequired.response(to:)),
                        HTTPPipelineInstaller(http: http, foldedLog: foldedLog),
                    ])
                }
            }
        let host = settings.listening.host.value
        let port = settings.listening.port.value
        do {
            return try await bootstrap.bind(host: host, port: port).get()
        } catch let error as IOError {
            throw StartError("cannot listen on \(host) port \(port): \(Errno(rawValue: error.errnoCode))")
        } catch {
            throw StartError("cannot listen on \(host) port \(port): \(error)")
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
                // A subscriber's connection is finished after the requests, whose steps it still gets.
                subscribers.close()
                await registry.finish { !subscribers.contains(ObjectIdentifier($0)) }
                await registry.finish { _ in true }
            }
            group.addTask { try? await Task.sleep(for: settings.listening.shutdownGrace.value) }
            await group.next()
            // The remaining connections have used up the grace period. Closing them ends the first child task too.
            await registry.closeAll()
            group.cancelAll()
        }
        logger.info("stopped")
    }
}
