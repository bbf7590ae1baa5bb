import NIOCore
import NIOEmbedded
import NIOTLS
import TLS
import Testing

/// Closing does not lose writes that the transport has not sent yet.
@Suite struct ClosingOrderTests {
    let folder: TestFolder
    let configuration: TLSConfiguration
    let peer: EmbeddedPeer

    init() throws {
        folder = try TestFolder()
        configuration = try folder.serverConfiguration()
        peer = try EmbeddedPeer(
            context: TLSContext(configuration: configuration), trusting: configuration.certificateFile)
        peer.channel.allowRemoteHalfClosure = true
        try peer.completeHandshake()
    }

    /// Writes an answer and closes the output of the server while the transport sends nothing.
    private func writeAnswerAndCloseOutput() -> EventLoopFuture<Void> {
        peer.transport.hold()
        peer.channel.writeAndFlush(ByteBuffer(string: "the answer"), promise: nil)
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(mode: .output, promise: closed)
        return closed.futureResult
    }

    private func expectAnswerAndCloseNotify() throws {
        peer.client.receive(try peer.takeServerBytes())
        var plaintext = ByteBuffer()
        #expect(try peer.client.read(into: &plaintext) == .closed)
        #expect(plaintext == ByteBuffer(string: "the answer"))
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `The peer's close_notify does not truncate the answer`() throws {
        let closed = writeAnswerAndCloseOutput()
        peer.client.closeOutput()
        peer.send(peer.takeClientBytes())
        #expect(peer.recorder.shutdowns == 1)
        #expect(peer.channel.isActive)
        // There is no timeout.
        peer.channel.embeddedEventLoop.advanceTime(by: .minutes(1))
        #expect(peer.channel.isActive)
        peer.transport.release()
        try closed.wait()
        try expectAnswerAndCloseNotify()
        #expect(peer.recorder.isInactive)
    }

    @Test func `The peer's end of TCP does not truncate the answer`() throws {
        let closed = writeAnswerAndCloseOutput()
        peer.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(peer.channel.isActive)
        peer.transport.release()
        try closed.wait()
        try expectAnswerAndCloseNotify()
        #expect(peer.recorder.isInactive)
    }

    @Test func `Closing the channel waits until the answer has been sent`() throws {
        let outputClosed = writeAnswerAndCloseOutput()
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(promise: closed)
        #expect(peer.channel.isActive)
        peer.transport.release()
        try outputClosed.wait()
        try closed.futureResult.wait()
        try expectAnswerAndCloseNotify()
        #expect(peer.recorder.isInactive)
    }

    @Test func `Closing the channel waits five seconds at most for a peer that does not read`() throws {
        let outputClosed = writeAnswerAndCloseOutput()
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(promise: closed)
        peer.channel.embeddedEventLoop.advanceTime(by: .milliseconds(4_900))
        #expect(peer.channel.isActive)
        peer.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        #expect(!peer.channel.isActive)
        try closed.futureResult.wait()
        // The output is closed too, although without close_notify.
        try outputClosed.wait()
        #expect(try peer.takeServerBytes().readableBytes == 0)
    }

    @Test func `Closing the channel when both directions have ended loses nothing`() throws {
        final class CloseAtShutdown: ChannelInboundHandler {
            typealias InboundIn = ByteBuffer

            func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
                if event as? TLSUserEvent == .shutdownCompleted { context.close(promise: nil) }
                context.fireUserInboundEventTriggered(event)
            }
        }
        try peer.channel.pipeline.syncOperations.addHandler(CloseAtShutdown())
        peer.client.closeOutput()
        peer.send(peer.takeClientBytes())
        let closed = writeAnswerAndCloseOutput()
        #expect(peer.channel.isActive)
        peer.transport.release()
        try closed.wait()
        try expectAnswerAndCloseNotify()
        #expect(peer.recorder.isInactive)
    }
}
