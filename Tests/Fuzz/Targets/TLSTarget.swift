import Foundation
import HTTPService
import NIOCore
import NIOEmbedded
import NIOTLS
import TLS

/// The TLS handler, fed with arbitrary bytes or with a real client's bytes that libFuzzer modifies.
///
/// The application receives a prefix of the bytes that the client sent, an unfinished handshake ends at its deadline,
/// every write promise is completed, and the channel closes.
final class TLSTarget: FuzzTarget {
    private let context: TLSContext
    private let clients: [TLSClient.Context]

    init() {
        do {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)").path
            let files = try DevelopmentCertificate.make(in: folder, hostNames: ["localhost"], addresses: [])
            context = try TLSContext(
                configuration: TLSConfiguration(certificateFile: files.certificateFile, keyFile: files.keyFile))
            clients = [TLSVersion.v1_2, .v1_3].map { TLSClient.Context(version: $0) }
        } catch {
            fatalError("a certificate is made: \(error)")
        }
    }

    func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let server = TLSServerEnd(context)
        switch choices.number(in: 0...2) {
        case 0: raw(server, ByteBuffer(bytes: choices.payload), seed: choices.number(in: 0...255))
        case 1: raw(server, ByteBuffer(bytes: choices.payload), seed: nil)
        default: converse(server, choices)
        }
        server.end()
    }

    private func raw(_ server: TLSServerEnd, _ bytes: ByteBuffer, seed: Int?) {
        for piece in seed.map({ bytes.pieces(seed: $0) }) ?? [bytes] { server.receive(piece) }
        require(server.received.readableBytes == 0, "nothing reaches the application without a handshake")
    }

    /// Runs a client's handshake and sends data. Each flight to the server may be modified.
    private func converse(_ server: TLSServerEnd, _ input: Choices) {
        var choices = input
        let client = TLSClient(clients[choices.number(in: 0...1)]).session
        var isShaken = false
        var sent = ByteBuffer()
        for round in 0..<12 where server.channel.isActive {
            if !isShaken, let progress = try? client.handshake() { isShaken = progress == .complete }
            if isShaken, choices.yes() {
                let size = choices.number(in: 0...255) * choices.number(in: 1...200)
                let text = ByteBuffer(repeating: UInt8(truncatingIfNeeded: round), count: size)
                if (try? client.write(text)) != nil { sent.writeImmutableBuffer(text) }
            }
            if isShaken, choices.number(in: 0...7) == 7 { client.closeOutput() }
            if choices.yes() { server.write(choices.number(in: 0...255) * 100) }
            deliver(client.takeCiphertext() ?? ByteBuffer(), to: server, &choices)
            client.receive(server.takeCiphertext())
            var plaintext = ByteBuffer()
            if isShaken { _ = try? client.read(into: &plaintext) }
        }
        let received = Array(server.received.readableBytesView)
        require(sent.readableBytesView.starts(with: received), "the application gets what the client sent, in order")
    }

    /// Delivers a flight, unchanged or modified.
    private func deliver(_ flight: ByteBuffer, to server: TLSServerEnd, _ choices: inout Choices) {
        var bytes = Array(flight.readableBytesView)
        let place = choices.number(in: 0...255) * choices.number(in: 1...40)
        switch choices.number(in: 0...9) {
        case 0 where place < bytes.count: bytes[place] ^= UInt8(choices.number(in: 1...255))
        case 1: bytes.removeLast(min(place, bytes.count))
        case 2: bytes.insert(contentsOf: [UInt8(choices.number(in: 0...255))], at: min(place, bytes.count))
        case 3: bytes += bytes
        case 4 where place < bytes.count: bytes.remove(at: place)
        default: break
        }
        let buffer = ByteBuffer(bytes: bytes)
        let pieces = choices.yes() ? [buffer] : buffer.pieces(seed: choices.number(in: 0...255))
        for piece in pieces where piece.readableBytes > 0 { server.receive(piece) }
    }
}

/// The server's handler in an embedded channel.
private final class TLSServerEnd {
    let channel = EmbeddedChannel()
    private let recorder = Recorder()
    private var unanswered = 0

    init(_ context: TLSContext) {
        do {
            try channel.setOption(.allowRemoteHalfClosure, value: true).wait()
            try channel.pipeline.syncOperations.addHandlers([
                TLSHandler(
                    context: context, handshakeTimeout: .seconds(10), plaintextAnswer: HTTPSRequired.response(to:)),
                recorder,
            ])
            try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 4000)).wait()
        } catch {
            fatalError("a connection is set up: \(error)")
        }
    }

    /// Plaintext that the application received.
    var received: ByteBuffer { recorder.received }

    func receive(_ bytes: ByteBuffer) {
        guard channel.isActive else { return }
        channel.pipeline.fireChannelRead(bytes)
        channel.pipeline.fireChannelReadComplete()
        channel.embeddedEventLoop.run()
    }

    /// Writes plaintext as the application.
    func write(_ count: Int) {
        unanswered += 1
        channel.writeAndFlush(ByteBuffer(repeating: 0x61, count: count))
            .assumeIsolated().whenComplete { _ in self.unanswered -= 1 }
        channel.embeddedEventLoop.run()
    }

    func takeCiphertext() -> ByteBuffer {
        var all = ByteBuffer()
        while let part = try? channel.readOutbound(as: ByteBuffer.self) { all.writeImmutableBuffer(part) }
        return all
    }

    /// Advances past the handshake deadline, then closes the channel.
    func end() {
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        require(recorder.isShaken || !channel.isActive, "a handshake that is not finished ends at its deadline")
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        require(!channel.isActive, "the channel closes")
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
        require(unanswered == 0, "every write is answered for")
    }

    final class Recorder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var received = ByteBuffer()
        var isShaken = false

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted? = event as? TLSUserEvent { isShaken = true }
        }
    }
}

@available(*, unavailable)
extension TLSServerEnd.Recorder: Sendable {}
