import NIOCore
import NIOEmbedded
import NIOTLS
import TLS
import Testing

/// What was written is not lost by a close that comes while it is on its way.
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
        try peer.shakeHands()
    }

    /// The server writes its answer and closes its output, and none of it gets through yet.
    private func answerOnItsWay() -> EventLoopFuture<Void> {
        peer.network.hold()
        peer.channel.writeAndFlush(ByteBuffer(string: "the answer"), promise: nil)
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(mode: .output, promise: closed)
        return closed.futureResult
    }

    private func expectTheAnswerAndItsEnd() throws {
        peer.client.receive(try peer.takeServerBytes())
        var plaintext = ByteBuffer()
        #expect(try peer.client.read(into: &plaintext) == .closed)
        #expect(plaintext == ByteBuffer(string: "the answer"))
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `The peer's close_notify, last of all, does not cut off the answer`() throws {
        let closed = answerOnItsWay()
        peer.client.closeOutput()
        peer.send(peer.takeClientBytes())
        #expect(peer.recorder.shutdowns == 1)
        #expect(peer.channel.isActive)
        // However long the peer takes.
        peer.channel.embeddedEventLoop.advanceTime(by: .minutes(1))
        #expect(peer.channel.isActive)
        peer.network.release()
        try closed.wait()
        try expectTheAnswerAndItsEnd()
        #expect(peer.recorder.isInactive)
    }

    @Test func `The peer's end of TCP does not cut off the answer`() throws {
        let closed = answerOnItsWay()
        peer.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(peer.channel.isActive)
        peer.network.release()
        try closed.wait()
        try expectTheAnswerAndItsEnd()
        #expect(peer.recorder.isInactive)
    }

    @Test func `A close of everything waits for the answer, too`() throws {
        let outputClosed = answerOnItsWay()
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(promise: closed)
        #expect(peer.channel.isActive)
        peer.network.release()
        try outputClosed.wait()
        try closed.futureResult.wait()
        try expectTheAnswerAndItsEnd()
        #expect(peer.recorder.isInactive)
    }

    @Test func `A peer that takes nothing holds up a close of everything for five seconds`() throws {
        let outputClosed = answerOnItsWay()
        let closed = peer.channel.eventLoop.makePromise(of: Void.self)
        peer.channel.close(promise: closed)
        peer.channel.embeddedEventLoop.advanceTime(by: .milliseconds(4_900))
        #expect(peer.channel.isActive)
        peer.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        #expect(!peer.channel.isActive)
        try closed.futureResult.wait()
        // It is closed, though not in the way that was asked for.
        try outputClosed.wait()
        #expect(try peer.takeServerBytes().readableBytes == 0)
    }

    @Test func `An application that closes when both have said goodbye loses nothing`() throws {
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
        let closed = answerOnItsWay()
        #expect(peer.channel.isActive)
        peer.network.release()
        try closed.wait()
        try expectTheAnswerAndItsEnd()
        #expect(peer.recorder.isInactive)
    }
}
