import NIOCore
import NIOEmbedded
import TLS
import Testing

@Suite struct TLSHandlerTests {
    private let fixture: HandlerFixture

    init() throws { fixture = try HandlerFixture() }

    private func peer() throws -> EmbeddedPeer {
        try fixture.peer()
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `Handshake and records can arrive in pieces of any size`(pieceSize: Int) throws {
        let peer = try peer()
        try peer.completeHandshake(inPiecesOf: pieceSize)
        let text = ByteBuffer(repeating: 65, count: 40_000)
        try peer.client.write(text)
        peer.send(peer.takeClientBytes(), inPiecesOf: pieceSize)
        #expect(peer.recorder.received == text)
        try peer.channel.writeOutbound(text)
        #expect(try peer.read() == text)
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `Flushed writes fill records, and their promises succeed`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        let promises = (0..<100).map { _ in peer.channel.eventLoop.makePromise(of: Void.self) }
        for (index, promise) in promises.enumerated() {
            peer.channel.write(ByteBuffer(repeating: UInt8(index), count: 1000), promise: promise)
        }
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == nil)
        peer.channel.flush()
        let sent = try peer.takeServerBytes()
        // 100 000 bytes are six full records and a partial one; TLS 1.3 adds 17 bytes of tag and type to each.
        #expect(recordLengths(sent) == [Int](repeating: 16384 + 17, count: 6) + [100_000 - 6 * 16384 + 17])
        for promise in promises { try promise.futureResult.wait() }
        peer.client.receive(sent)
        var plaintext = ByteBuffer()
        _ = try peer.client.read(into: &plaintext)
        #expect(plaintext == ByteBuffer(bytes: (0..<100).flatMap { [UInt8](repeating: UInt8($0), count: 1000) }))
    }

    @Test func `While the channel is unwritable, writes are queued as plaintext`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        peer.channel.isWritable = false
        let done = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.writeAndFlush(ByteBuffer(repeating: 1, count: 100_000), promise: done)
        #expect(try peer.takeServerBytes().readableBytes == 0)
        peer.channel.isWritable = true
        peer.channel.pipeline.fireChannelWritabilityChanged()
        try done.futureResult.wait()
        #expect(try peer.read().readableBytes == 100_000)
    }

    @Test func `An application that writes whenever the channel is writable has one write in the queue`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        let eager = EagerWriter()
        try peer.channel.pipeline.syncOperations.addHandler(SynchronousTransport(), position: .first)
        try peer.channel.pipeline.syncOperations.addHandler(eager)
        peer.channel.pipeline.fireChannelWritabilityChanged()
        #expect(eager.piecesLeft == 0)
        #expect(eager.mostWaiting == 1)
        #expect(try peer.read().readableBytes == 20 * EagerWriter.pieceSize)
    }

    @Test func `Writes before the end of the handshake are sent after it`() throws {
        let peer = try peer()
        let done = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.writeAndFlush(ByteBuffer(string: "early"), promise: done)
        _ = try peer.client.handshake()
        peer.send(peer.takeClientBytes())
        peer.client.receive(try peer.takeServerBytes())
        #expect(try peer.client.handshake() == .complete)
        peer.send(peer.takeClientBytes())
        try done.futureResult.wait()
        #expect(try peer.read() == ByteBuffer(string: "early"))
    }

    @Test func `Closing with an empty queue sends close_notify`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        peer.channel.close(promise: nil)
        peer.client.receive(try peer.takeServerBytes())
        var plaintext = ByteBuffer()
        #expect(try peer.client.read(into: &plaintext) == .closed)
        #expect(peer.recorder.isInactive)
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `Closing with unsent writes fails them and sends no close_notify`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        peer.channel.isWritable = false
        let lost = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.writeAndFlush(ByteBuffer(string: "lost"), promise: lost)
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(promise: closed)
        try closed.futureResult.wait()
        #expect(throws: ChannelError.ioOnClosedChannel) { try lost.futureResult.wait() }
        #expect(try peer.takeServerBytes().readableBytes == 0)
    }

    @Test func `Closing the output sends flushed writes and fails the others`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        peer.channel.isWritable = false
        let kept = peer.channel.eventLoop.makePromise(of: Void.self)
        let dropped = peer.channel.eventLoop.makePromise(of: Void.self)
        let late = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.writeAndFlush(ByteBuffer(string: "kept"), promise: kept)
        peer.channel.write(ByteBuffer(string: "dropped"), promise: dropped)
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(mode: .output, promise: closed)
        peer.channel.writeAndFlush(ByteBuffer(string: "late"), promise: late)
        #expect(throws: ChannelError.outputClosed) { try dropped.futureResult.wait() }
        #expect(throws: ChannelError.outputClosed) { try late.futureResult.wait() }
        peer.channel.isWritable = true
        peer.channel.pipeline.fireChannelWritabilityChanged()
        try kept.futureResult.wait()
        try closed.futureResult.wait()
        peer.client.receive(try peer.takeServerBytes())
        var plaintext = ByteBuffer()
        #expect(try peer.client.read(into: &plaintext) == .closed)
        #expect(plaintext == ByteBuffer(string: "kept"))
    }

    @Test func `With half-closure the peer's close_notify leaves the output open`() throws {
        let peer = try peer()
        peer.channel.allowRemoteHalfClosure = true
        try peer.completeHandshake()
        peer.client.closeOutput()
        peer.send(peer.takeClientBytes())
        #expect(peer.recorder.inputClosed == 1)
        // The end of TCP that follows has no effect.
        peer.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(peer.recorder.inputClosed == 1)
        #expect(peer.recorder.errors.isEmpty)
        try peer.channel.writeOutbound(ByteBuffer(string: "still here"))
        #expect(try peer.read() == ByteBuffer(string: "still here"))
    }

    @Test func `With half-closure the end of TCP alone leaves the output open`() throws {
        let peer = try peer()
        peer.channel.allowRemoteHalfClosure = true
        try peer.completeHandshake()
        try peer.client.write(ByteBuffer(string: "cut off"))
        let record = peer.takeClientBytes()
        peer.send(try #require(record.getSlice(at: 0, length: record.readableBytes - 1)))
        peer.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(peer.recorder.inputClosed == 1)
        // An incomplete record is not delivered, and later input is ignored.
        peer.send(try #require(record.getSlice(at: record.readableBytes - 1, length: 1)))
        #expect(peer.recorder.received.readableBytes == 0)
        try peer.channel.writeOutbound(ByteBuffer(string: "still here"))
        #expect(try peer.read() == ByteBuffer(string: "still here"))
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `The end of the channel without close_notify is a truncation`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        peer.channel.pipeline.fireChannelInactive()
        #expect(peer.recorder.errors == [.truncated])
        #expect(peer.recorder.isInactive)
    }

    @Test func `A forged record gets an alert after earlier records were delivered`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        try peer.client.write(ByteBuffer(string: "good"))
        try peer.client.write(ByteBuffer(string: "forged"))
        var bytes = peer.takeClientBytes()
        let last = try #require(bytes.getInteger(at: bytes.writerIndex - 1, as: UInt8.self))
        bytes.setInteger(last ^ 1, at: bytes.writerIndex - 1)
        peer.send(bytes)
        #expect(peer.recorder.received == ByteBuffer(string: "good"))
        guard case .protocolViolation? = peer.recorder.errors.first else {
            Issue.record("\(peer.recorder.errors)")
            return
        }
        #expect(throws: TLSError.self) { try peer.read() }
        #expect(!peer.channel.isActive)
    }

    @Test func `Invalid handshake bytes get an alert and fire an error`() throws {
        let peer = try peer()
        peer.send(ByteBuffer(bytes: [22, 3, 1, 0, 4, 9, 9, 9, 9]))
        guard case .handshakeFailed? = peer.recorder.errors.first else {
            Issue.record("\(peer.recorder.errors)")
            return
        }
        let answer = try peer.takeServerBytes()
        #expect(answer.getInteger(at: 0, as: UInt8.self) == 21)
    }

    @Test func `Plaintext gets the injected answer from its first byte`() throws {
        let peer = try EmbeddedPeer(
            context: fixture.context, trusting: fixture.configuration.certificateFile,
            plaintextAnswer: { ByteBuffer(string: "answer to \(String(buffer: $0))") })
        peer.send(ByteBuffer(string: "G"))
        #expect(try peer.takeServerBytes() == ByteBuffer(string: "answer to G"))
        #expect(peer.recorder.errors == [.plaintext])
    }

    @Test func `Plaintext closes the channel if there is no answer for it`() throws {
        let peer = try peer()
        peer.send(ByteBuffer(string: "GET / HTTP/1.1\r\n"))
        #expect(try peer.takeServerBytes().readableBytes == 0)
        #expect(peer.recorder.errors == [.plaintext])
        #expect(!peer.channel.isActive)
    }

    @Test func `The handshake timeout is not extended by bytes that arrive slowly`() throws {
        let peer = try peer()
        _ = try peer.client.handshake()
        let hello = peer.takeClientBytes()
        for index in 0..<9 {
            peer.send(try #require(hello.getSlice(at: index, length: 1)))
            peer.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        #expect(peer.channel.isActive)
        peer.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(peer.recorder.errors == [.handshakeTimeout])
        #expect(peer.recorder.isInactive)
    }

    @Test func `The handshake timeout has no effect after the handshake`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        peer.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(peer.channel.isActive)
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `Key updates are answered, up to a limit for a peer that does not read`() throws {
        let peer = try EmbeddedPeer(
            context: fixture.context, trusting: fixture.configuration.certificateFile, maximumControlBytes: 500)
        try peer.completeHandshake()
        try peer.requestKeyUpdate()
        peer.send(peer.takeClientBytes())
        try peer.channel.writeOutbound(ByteBuffer(string: "under new keys"))
        #expect(try peer.read() == ByteBuffer(string: "under new keys"))
        peer.channel.isWritable = false
        for _ in 0..<100 where peer.channel.isActive {
            try peer.requestKeyUpdate()
            peer.send(peer.takeClientBytes())
        }
        #expect(peer.recorder.errors == [.controlFlood])
        #expect(!peer.channel.isActive)
    }

    @Test func `A connection that ends before its first byte fires no error`() throws {
        let peer = try peer()
        peer.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(peer.recorder.errors.isEmpty)
        #expect(peer.recorder.isInactive)
    }
}
