import Foundation
import Logging
import NIOCore
import NIOEmbedded
import Foundations
import Testing

@testable import MonitorServer

@Suite struct AcceptBackoffTests {
    /// A listening channel on an event loop whose time the test advances, and the log.
    private final class Listening {
        private let lines = Lines()
        let loop = EmbeddedEventLoop()
        let channel: EmbeddedChannel

        init(capacity: Int = 1000) throws {
            let lines = lines
            let logger = Logger(label: "nnmonitor") { label in
                LineLogHandler(
                    label: label, level: .info, format: .text, metadataProvider: nil,
                    now: { LogTime(milliseconds: 0) }, write: lines.append)
            }
            channel = EmbeddedChannel(loop: loop)
            try channel.pipeline.syncOperations.addHandler(AcceptBackoff(capacity: capacity, logger: logger))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func fail(_ errno: CInt) {
            channel.pipeline.fireErrorCaught(IOError(errnoCode: errno, reason: "accept"))
        }

        /// A connection is accepted.
        func accept() -> EmbeddedChannel {
            let connection = EmbeddedChannel(loop: loop)
            channel.pipeline.fireChannelRead(connection as any Channel)
            return connection
        }

        /// The last value of the channel's autoRead option; nil if it was never set.
        var reads: Bool? { channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool }

        var logged: [String] {
            lines.all.map { $0.split(separator: ": ", maxSplits: 1)[1].trimmingCharacters(in: .newlines) }
        }
    }

    private final class Lines: Sendable {
        private let lines = Locked<[String]>([])
        func append(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        var all: [String] { lines.withLock { $0 } }
    }

    @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func `After a temporary failure, accepting pauses for the interval`(errno: CInt) throws {
        let listening = try Listening()
        #expect(listening.reads == nil)
        listening.fail(errno)
        #expect(listening.reads == false)
        listening.loop.advanceTime(by: .milliseconds(99))
        #expect(listening.reads == false)
        listening.loop.advanceTime(by: .milliseconds(1))
        #expect(listening.reads == true)
        _ = try listening.channel.finish()
    }

    @Test func `Repeated failures pause each time and are logged once`() throws {
        let listening = try Listening()
        for _ in 0..<50 {
            listening.fail(EMFILE)
            #expect(listening.reads == false)
            listening.loop.advanceTime(by: .milliseconds(100))
            #expect(listening.reads == true)
        }
        #expect(listening.logged.count == 1)
        #expect(listening.logged[0].hasPrefix("accepting pauses"))
        #expect(listening.logged[0].hasSuffix("reason=\"Too many open files\""))
        _ = try listening.channel.finish()
    }

    @Test func `The end of an episode is logged when no pause was needed for the quiet time`() throws {
        let listening = try Listening()
        listening.fail(EMFILE)
        listening.loop.advanceTime(by: .seconds(7))
        listening.fail(EMFILE)
        listening.loop.advanceTime(by: .milliseconds(9_999))
        #expect(listening.logged.count == 1)
        listening.loop.advanceTime(by: .milliseconds(1))
        #expect(listening.logged.last == "accepting connections again without pauses seconds=7")
        listening.loop.advanceTime(by: .minutes(1))
        #expect(listening.logged.count == 2)
        listening.fail(EMFILE)
        #expect(listening.logged.count == 3)
        _ = try listening.channel.finish()
    }

    @Test func `Other errors are passed on`() throws {
        let listening = try Listening()
        listening.fail(ECONNABORTED)
        #expect(throws: IOError.self) { try listening.channel.throwIfErrorCaught() }
        #expect(listening.reads == nil)
        #expect(listening.logged.isEmpty)
        _ = try listening.channel.finish()
    }

    @Test func `After a channel closes in a pause, nothing happens`() throws {
        let listening = try Listening()
        listening.fail(EMFILE)
        _ = try listening.channel.finish()
        listening.loop.advanceTime(by: .minutes(1))
        #expect(listening.reads == false)
        #expect(listening.logged.count == 1)
    }

    @Test func `At its capacity, accepting pauses until a connection closes`() throws {
        let listening = try Listening(capacity: 3)
        let first = [listening.accept(), listening.accept()]
        #expect(listening.reads == nil)
        let third = listening.accept()
        #expect(listening.reads == false)
        listening.loop.advanceTime(by: .minutes(1))
        #expect(listening.reads == false)
        try third.close().wait()
        listening.loop.run()
        #expect(listening.reads == true)
        // The next connection fills it again, and is not logged.
        let next = listening.accept()
        #expect(listening.reads == false)
        #expect(listening.logged.count == 1)
        #expect(listening.logged[0].contains("the limit of open files"))
        for connection in first + [next] { try connection.close().wait() }
        listening.loop.run()
        #expect(listening.reads == true)
        listening.loop.advanceTime(by: .seconds(10))
        #expect(listening.logged.count == 2)
        _ = try listening.channel.finish()
    }

    @Test func `Connections accepted together above the capacity must all close before accepting resumes`() throws {
        let listening = try Listening(capacity: 1)
        let connections = (0..<4).map { _ in listening.accept() }
        for connection in connections.dropLast() {
            try connection.close().wait()
            listening.loop.run()
            #expect(listening.reads == false)
        }
        try connections[3].close().wait()
        listening.loop.run()
        #expect(listening.reads == true)
        _ = try listening.channel.finish()
    }

    @Test func `A pause after a failure and a pause at capacity must both end before accepting resumes`()
        throws
    {
        let listening = try Listening(capacity: 1)
        let connection = listening.accept()
        listening.fail(EMFILE)
        try connection.close().wait()
        listening.loop.run()
        #expect(listening.reads == false)
        listening.loop.advanceTime(by: .milliseconds(100))
        #expect(listening.reads == true)
        let another = listening.accept()
        listening.fail(EMFILE)
        listening.loop.advanceTime(by: .milliseconds(100))
        #expect(listening.reads == false)
        try another.close().wait()
        listening.loop.run()
        #expect(listening.reads == true)
        _ = try listening.channel.finish()
    }
}
