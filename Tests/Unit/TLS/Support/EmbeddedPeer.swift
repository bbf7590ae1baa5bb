import COpenSSL
import NIOCore
import NIOEmbedded
import NIOTLS
import TLS
import Testing

/// The server's handler in an embedded channel, with a client that is only a session: every byte passes through the
/// test's hands.
final class EmbeddedPeer {
    let channel: EmbeddedChannel
    let client: TLSSession
    let clientSSL: OpaquePointer
    private let clientContext: ClientContext
    let network = HeldNetwork()
    let recorder = Recorder()

    init(
        context: TLSContext, trusting authority: String,
        versions: ClosedRange<Int32> = TLSVersion.v1_2.rawValue...TLSVersion.v1_3.rawValue,
        maximumControlBytes: Int = 65536
    ) throws {
        channel = EmbeddedChannel()
        let handler = TLSServerHandler(
            context: context, handshakeTimeout: .seconds(10), maximumControlBytes: maximumControlBytes)
        try channel.pipeline.syncOperations.addHandlers([network, handler, recorder])
        clientContext = try ClientContext(trusting: authority, versions: versions)
        clientSSL = try #require(clientContext.makeSSL())
        client = try TLSSession(adopting: clientSSL, keeping: clientContext)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    deinit {
        // Handlers leave a channel when it closes and its loop has run: without that they would keep each other.
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
    }

    /// Seals records with the client's keys, behind the client's back: the client must not write itself any more, nor
    /// before. For TLS 1.3, after the handshake.
    func forge() throws -> RecordForge {
        try RecordForge(secret: #require(clientContext.secret("CLIENT_TRAFFIC_SECRET_0")))
    }

    /// Makes the client ask the server for a key update of its own (RFC 8446 §4.6.3).
    func requestKeyUpdate() throws {
        try #require(SSL_key_update(clientSSL, SSL_KEY_UPDATE_REQUESTED) == 1)
        try #require(SSL_do_handshake(clientSSL) == 1)
    }

    /// What the server has to send, as one buffer.
    func takeServerBytes() throws -> ByteBuffer {
        var all = ByteBuffer()
        while var part = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
        return all
    }

    /// What the client has to send.
    func takeClientBytes() -> ByteBuffer {
        client.takeCiphertext() ?? ByteBuffer()
    }

    /// Gives the server bytes in pieces, each as a read of its own.
    func send(_ bytes: ByteBuffer, inPiecesOf size: Int = .max) {
        var bytes = bytes
        while bytes.readableBytes > 0, let piece = bytes.readSlice(length: min(size, bytes.readableBytes)) {
            channel.pipeline.fireChannelRead(piece)
            channel.pipeline.fireChannelReadComplete()
        }
    }

    func shakeHands(inPiecesOf size: Int = .max) throws {
        var rounds = 0
        while try client.handshake() == .wantsInput || !recorder.isShaken {
            send(takeClientBytes(), inPiecesOf: size)
            client.receive(try takeServerBytes())
            rounds += 1
            try #require(rounds < 10)
        }
        send(takeClientBytes(), inPiecesOf: size)
        _ = try read()
    }

    /// What the client can decrypt now.
    func read() throws -> ByteBuffer {
        client.receive(try takeServerBytes())
        var plaintext = ByteBuffer()
        _ = try client.read(into: &plaintext)
        return plaintext
    }

    final class Recorder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        var received = ByteBuffer()
        var errors: [TLSError] = []
        var inputClosed = 0
        var shutdowns = 0
        var isShaken = false
        var isInactive = false

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            received.writeBuffer(&bytes)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted? = event as? TLSUserEvent { isShaken = true }
            if event as? TLSUserEvent == .shutdownCompleted { shutdowns += 1 }
            if event as? ChannelEvent == .inputClosed { inputClosed += 1 }
            context.fireUserInboundEventTriggered(event)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? TLSError { errors.append(error) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            isInactive = true
        }
    }
}

/// The lengths of the TLS records in a stream of whole ones.
func recordLengths(_ bytes: ByteBuffer) -> [Int] {
    var bytes = bytes
    var lengths: [Int] = []
    while let header = bytes.readBytes(length: 5) {
        let length = Int(header[3]) << 8 | Int(header[4])
        lengths.append(length)
        bytes.moveReaderIndex(forwardBy: min(length, bytes.readableBytes))
    }
    return lengths
}
