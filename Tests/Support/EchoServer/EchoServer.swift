import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import TLS
import WebSocket

/// Echoes WebSocket messages. The conformance suites test NNMonitor's WebSocket and TLS modules through it.
@main
struct EchoServer: AsyncParsableCommand {
    @Option(help: "The port on 127.0.0.1; 0 for a free one.")
    var port = 9001

    @Option(help: "A certificate in PEM format; requires --tls-key and enables wss.")
    var tlsCert: String?

    @Option(help: "The certificate's private key in PEM format.")
    var tlsKey: String?

    @Option(help: "The maximum size of a message in bytes.")
    var maximumMessageSize = 16 * 1024 * 1024

    func validate() throws {
        if (tlsCert == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-cert and --tls-key must be given together")
        }
    }

    func run() async throws {
        let configuration = WebSocketConfiguration(
            maximumMessageSize: maximumMessageSize, maximumExpansionRatio: 1100, maximumMessageRate: 1_000_000)
        var context: TLSContext?
        if let tlsCert, let tlsKey {
            context = try TLSContext(
                configuration: TLSConfiguration(certificateFile: tlsCert, keyFile: tlsKey))
        }
        let tls = context
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            TLSHandler(context: tls, handshakeTimeout: .seconds(10)))
                    }
                    try EchoHandshake.install(on: channel, configuration: configuration)
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        let address = "\(tls == nil ? "ws" : "wss")://127.0.0.1:\(server.localAddress?.port ?? port)"
        FileHandle.standardOutput.write(Data("listening on \(address)\n".utf8))
        try await server.closeFuture.get()
    }
}
