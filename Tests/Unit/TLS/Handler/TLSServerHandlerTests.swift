import NIOCore
import NIOEmbedded
import TLS
import Testing

@Suite struct TLSServerHandlerTests {
    let folder: TestFolder
    let configuration: TLSConfiguration
    let context: TLSContext

    init() throws {
        folder = try TestFolder()
        configuration = try folder.serverConfiguration()
        context = try TLSContext(configuration: configuration)
    }

    private func peer() throws -> EmbeddedPeer {
        try EmbeddedPeer(context: context, trusting: configuration.certificateFile)
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `Handshake and records survive being cut anywhere`(pieceSize: Int) throws {
        let peer = try peer()
        try peer.shakeHands(inPiecesOf: pieceSize)
        let text = ByteBuffer(repeating: 65, count: 40_000)
        try peer.client.write(text)
        peer.send(peer.takeClientBytes(), inPiecesOf: pieceSize)
        #expect(peer.recorder.received == text)
        try peer.channel.writeOutbound(text)
        #expect(try peer.read() == text)
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `Flushed writes fill whole records and their promises succeed`() throws {
        let peer = try peer()
        try peer.shakeHands()
        let promises = (0..<100).map { _ in peer.channel.eventLoop.makePromise(of: Void.self) }
        for (index, promise) in promises.enumerated() {
            peer.channel.write(ByteBuffer(repeating: UInt8(index), count: 1000), promise: promise)
        }
        #expect(try peer.channel.readOutbound(as: ByteBuffer.self) == nil)
        peer.channel.flush()
        let sent = try peer.takeServerBytes()
        // 100 000 bytes are six full records and a rest; each adds 17 bytes of tag and type in TLS 1.3.
        #expect(recordLengths(sent) == [Int](repeating: 16384 + 17, count: 6) + [100_000 - 6 * 16384 + 17])
        for promise in promises { try promise.futureResult.wait() }
        peer.client.receive(sent)
        var plaintext = ByteBuffer()
        _ = try peer.client.read(into: &plaintext)
        #expect(plaintext == ByteBuffer(bytes: (0..<100).flatMap { [UInt8](repeating: UInt8($0), count: 1000) }))
    }

    @Test func `While the channel takes nothing, writes wait as plaintext`() throws {
        let peer = try peer()
        try peer.shakeHands()
        peer.channel.isWritable = false
        let done = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.writeAndFlush(ByteBuffer(repeating: 1, count: 100_000), promise: done)
        #expect(try peer.takeServerBytes().readableBytes == 0)
        peer.channel.isWritable = true
        peer.channel.pipeline.fireChannelWritabilityChanged()
        try done.futureResult.wait()
        #expect(try peer.read().readableBytes == 100_000)
    }

    @Test func `A writer that goes on whenever it may is held back by what it wrote last`() throws {
        let peer = try peer()
        try peer.shakeHands()
        let eager = EagerWriter()
        try peer.channel.pipeline.syncOperations.addHandler(TakesAllAtOnce(), position: .first)
        try peer.channel.pipeline.syncOperations.addHandler(eager)
        peer.channel.pipeline.fireChannelWritabilityChanged()
        #expect(eager.piecesLeft == 0)
        #expect(eager.mostWaiting == 1)
        #expect(try peer.read().readableBytes == 20 * EagerWriter.pieceSize)
    }

    @Test func `Writes before the end of the handshake go out after it`() throws {
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

    @Test func `A close with nothing left says close_notify`() throws {
        let peer = try peer()
        try peer.shakeHands()
        peer.channel.close(promise: nil)
        peer.client.receive(try peer.takeServerBytes())
        var plaintext = ByteBuffer()
        #expect(try peer.client.read(into: &plaintext) == .closed)
        #expect(peer.recorder.isInactive)
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `A close that loses writes fails them and says no close_notify`() throws {
        let peer = try peer()
        try peer.shakeHands()
        peer.channel.isWritable = false
        let lost = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.writeAndFlush(ByteBuffer(string: "lost"), promise: lost)
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(promise: closed)
        try closed.futureResult.wait()
        #expect(throws: ChannelError.ioOnClosedChannel) { try lost.futureResult.wait() }
        #expect(try peer.takeServerBytes().readableBytes == 0)
    }

    @Test func `Output that closes sends what was flushed and fails what was not`() throws {
        let peer = try peer()
        try peer.shakeHands()
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

    @Test func `The peer's close_notify leaves the output open where half-closure is allowed`() throws {
        let peer = try peer()
        peer.channel.allowRemoteHalfClosure = true
        try peer.shakeHands()
        peer.client.closeOutput()
        peer.send(peer.takeClientBytes())
        #expect(peer.recorder.inputClosed == 1)
        // The end of TCP that follows is no news.
        peer.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(peer.recorder.inputClosed == 1)
        #expect(peer.recorder.errors.isEmpty)
        try peer.channel.writeOutbound(ByteBuffer(string: "still here"))
        #expect(try peer.read() == ByteBuffer(string: "still here"))
    }

    @Test func `The end of TCP alone, too, leaves the output open where half-closure is allowed`() throws {
        let peer = try peer()
        peer.channel.allowRemoteHalfClosure = true
        try peer.shakeHands()
        try peer.client.write(ByteBuffer(string: "cut off"))
        let record = peer.takeClientBytes()
        peer.send(try #require(record.getSlice(at: 0, length: record.readableBytes - 1)))
        peer.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(peer.recorder.inputClosed == 1)
        // What was not whole is not handed on, nor what might follow.
        peer.send(try #require(record.getSlice(at: record.readableBytes - 1, length: 1)))
        #expect(peer.recorder.received.readableBytes == 0)
        try peer.channel.writeOutbound(ByteBuffer(string: "still here"))
        #expect(try peer.read() == ByteBuffer(string: "still here"))
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `A channel that ends without close_notify is truncated`() throws {
        let peer = try peer()
        try peer.shakeHands()
        peer.channel.pipeline.fireChannelInactive()
        #expect(peer.recorder.errors == [.truncated])
        #expect(peer.recorder.isInactive)
    }

    @Test func `A forged record is answered with an alert, after what was good before it`() throws {
        let peer = try peer()
        try peer.shakeHands()
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

    @Test func `Bytes that are no TLS get an alert and an error`() throws {
        let peer = try peer()
        peer.send(ByteBuffer(bytes: [22, 3, 1, 0, 4, 9, 9, 9, 9]))
        guard case .handshakeFailed? = peer.recorder.errors.first else {
            Issue.record("\(peer.recorder.errors)")
            return
        }
        let answer = try peer.takeServerBytes()
        #expect(answer.getInteger(at: 0, as: UInt8.self) == 21)
    }

    @Test func `Plain HTTP gets its answer from the first byte on`() throws {
        let peer = try peer()
        peer.send(ByteBuffer(string: "G"))
        let answer = String(buffer: try peer.takeServerBytes())
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(answer.contains("\r\nConnection: close\r\n"))
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
        #expect(parts.last?.hasPrefix(#"{"detail":{"error":"tls_required","message":"#) == true)
        #expect(answer.contains("Content-Length: \(parts.last?.utf8.count ?? 0)\r\n"))
        #expect(peer.recorder.errors == [.plainHTTP])
    }

    @Test func `The deadline of the handshake is not moved by bytes that drip in`() throws {
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

    @Test func `After the handshake its deadline means nothing`() throws {
        let peer = try peer()
        try peer.shakeHands()
        peer.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(peer.channel.isActive)
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `Key updates are answered, but not without end for a peer that takes no answers`() throws {
        let peer = try EmbeddedPeer(
            context: context, trusting: configuration.certificateFile, maximumControlBytes: 500)
        try peer.shakeHands()
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

    @Test func `A connection that ends before its first byte is no error`() throws {
        let peer = try peer()
        peer.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(peer.recorder.errors.isEmpty)
        #expect(peer.recorder.isInactive)
    }
}

/// A transport whose buffer is full after every write and empty after every flush, and which says so at once.
private final class TakesAllAtOnce: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        setWritable(false, context)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        setWritable(true, context)
    }

    private func setWritable(_ isWritable: Bool, _ context: ChannelHandlerContext) {
        guard let channel = context.channel as? EmbeddedChannel, channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }
}

/// Writes a piece whenever it is told that the channel is writable, and counts those that have not gone out.
private final class EagerWriter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let pieceSize = 100_000
    private(set) var piecesLeft = 20
    private(set) var mostWaiting = 0
    private var waiting = 0

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, piecesLeft > 0 else { return }
        piecesLeft -= 1
        waiting += 1
        mostWaiting = max(mostWaiting, waiting)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in waiting -= 1 }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(repeating: 1, count: Self.pieceSize)), promise: sent)
    }
}
