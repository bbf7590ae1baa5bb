import COpenSSL
import NIOCore
import NIOEmbedded
import NIOTLS
import TLS
import Testing

/// The server's handler in an embedded channel and a client without a channel. The test passes the bytes between them.
final class EmbeddedPeer {
    let channel: EmbeddedChannel
    let client: TLSSession
    let clientSSL: OpaquePointer
    private let clientContext: ClientContext
    let transport = BufferingTransport()
    let recorder = Recorder()

    init(
        context: TLSContext, trusting authority: String,
        versions: ClosedRange<Int32> = TLSVersion.v1_2.rawValue...TLSVersion.v1_3.rawValue,
        maximumControlBytes: Int = 65536,
        plaintextAnswer: TLSHandler.PlaintextAnswer? = nil
    ) throws {
        channel = EmbeddedChannel()
        let handler = TLSHandler(
            context: context, handshakeTimeout: .seconds(10), maximumControlBytes: maximumControlBytes,
            plaintextAnswer: plaintextAnswer)
        try channel.pipeline.syncOperations.addHandlers([transport, handler, recorder])
        clientContext = try ClientContext(trusting: authority, versions: versions)
        clientSSL = try #require(clientContext.makeSSL())
        client = try TLSSession(adopting: clientSSL, keeping: clientContext)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    deinit {
        // Running the loop removes the handlers from the closed channel, which breaks their reference cycle.
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
    }

    /// Makes a sealer with the client's keys, after a TLS 1.3 handshake. The client itself must not write before or
    /// after, because the sealer counts records independently.
    func sealer() throws -> RecordSealer {
        try RecordSealer(secret: #require(clientContext.secret("CLIENT_TRAFFIC_SECRET_0")))
    }

    /// Makes the client request a key update from the server (RFC 8446 section 4.6.3).
    func requestKeyUpdate() throws {
        try #require(SSL_key_update(clientSSL, SSL_KEY_UPDATE_REQUESTED) == 1)
        try #require(SSL_do_handshake(clientSSL) == 1)
    }

    /// Removes and returns everything that the server sent.
    func takeServerBytes() throws -> ByteBuffer {
        var all = ByteBuffer()
        while var part = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
        return all
    }

    /// Removes and returns the client's ciphertext.
    func takeClientBytes() -> ByteBuffer {
        client.takeCiphertext() ?? ByteBuffer()
    }

    /// Passes bytes to the server in pieces, each as one read.
    func send(_ bytes: ByteBuffer, inPiecesOf size: Int = .max) {
        var bytes = bytes
        while bytes.readableBytes > 0, let piece = bytes.readSlice(length: min(size, bytes.readableBytes)) {
            channel.pipeline.fireChannelRead(piece)
            channel.pipeline.fireChannelReadComplete()
        }
    }

    /// Whether the client's handshake was resumed with a ticket.
    var isResumed: Bool { SSL_session_reused(clientSSL) == 1 }

    func completeHandshake(inPiecesOf size: Int = .max) throws {
        var rounds = 0
        while try client.handshake() == .wantsInput || !recorder.isHandshakeComplete {
            send(takeClientBytes(), inPiecesOf: size)
            client.receive(try takeServerBytes())
            rounds += 1
            try #require(rounds < 10)
        }
        send(takeClientBytes(), inPiecesOf: size)
        _ = try read()
    }

    /// Passes the server's bytes to the client and returns the plaintext.
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
        var isHandshakeComplete = false
        var isInactive = false

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            received.writeBuffer(&bytes)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted? = event as? TLSUserEvent { isHandshakeComplete = true }
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

/// Returns the lengths of complete TLS records.
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
