import NIOCore
import NIOEmbedded
import TLS
import Testing

/// Records that are truncated, corrupted, too long, too many or of an unexpected type.
@Suite struct HostileRecordTests {
    private let fixture: HandlerFixture

    init() throws { fixture = try HandlerFixture() }

    private func peer(_ version: TLSVersion = .v1_3) throws -> EmbeddedPeer {
        try fixture.peer(version)
    }

    /// Expects that the server ended the connection with an error and sent the client this alert.
    private func expectAlert(_ name: String, _ peer: EmbeddedPeer, sourceLocation: SourceLocation = #_sourceLocation) {
        let failure = #expect(throws: TLSError.self, sourceLocation: sourceLocation) { try peer.read() }
        #expect(
            failure?.description.contains(name) == true, "\(String(describing: failure))",
            sourceLocation: sourceLocation)
        guard case .protocolViolation? = peer.recorder.errors.first else {
            Issue.record("\(peer.recorder.errors)", sourceLocation: sourceLocation)
            return
        }
        #expect(peer.recorder.errors.count == 1, sourceLocation: sourceLocation)
        #expect(!peer.channel.isActive, sourceLocation: sourceLocation)
    }

    @Test(arguments: TLSVersion.allCases)
    func `A record can arrive in two pieces, split anywhere`(version: TLSVersion) throws {
        let peer = try peer(version)
        try peer.completeHandshake()
        let text = ByteBuffer(bytes: (0..<16384).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) })
        var place = 1
        var length = 0
        repeat {
            try peer.client.write(text)
            let record = peer.takeClientBytes()
            length = record.readableBytes
            for part in [record.getSlice(at: 0, length: place), record.getSlice(at: place, length: length - place)] {
                peer.channel.pipeline.fireChannelRead(try #require(part))
                peer.channel.pipeline.fireChannelReadComplete()
            }
            guard peer.recorder.received == text else {
                Issue.record("cut at \(place)")
                return
            }
            peer.recorder.received.clear()
            place += 1
        } while place < length
        #expect(length == 16384 + (version == .v1_3 ? 22 : 29))
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test(arguments: TLSVersion.allCases)
    func `A record with an invalid MAC gets bad_record_mac`(version: TLSVersion) throws {
        for place in [0, 3, 7] {
            let peer = try peer(version)
            try peer.completeHandshake()
            try peer.client.write(ByteBuffer(string: "0123"))
            var record = peer.takeClientBytes()
            let index = 5 + place
            record.setInteger(try #require(record.getInteger(at: index, as: UInt8.self)) ^ 0x80, at: index)
            peer.send(record)
            expectAlert("bad record mac", peer)
            #expect(peer.recorder.received.readableBytes == 0)
        }
    }

    @Test(arguments: TLSVersion.allCases)
    func `A replayed record is rejected`(version: TLSVersion) throws {
        let peer = try peer(version)
        try peer.completeHandshake()
        try peer.client.write(ByteBuffer(string: "pay once"))
        let record = peer.takeClientBytes()
        peer.send(record)
        peer.send(record)
        expectAlert("bad record mac", peer)
        #expect(peer.recorder.received == ByteBuffer(string: "pay once"))
    }

    @Test(arguments: TLSVersion.allCases)
    func `An invalid record length is rejected by the header alone`(version: TLSVersion) throws {
        let peer = try peer(version)
        try peer.completeHandshake()
        peer.send(ByteBuffer(bytes: [23, 3, 3, 0xFF, 0xFF]))
        expectAlert("record overflow", peer)
    }

    @Test(arguments: TLSVersion.allCases)
    func `An invalid record version is rejected`(version: TLSVersion) throws {
        let peer = try peer(version)
        try peer.completeHandshake()
        peer.send(ByteBuffer(bytes: [23, 9, 9, 0, 1, 0]))
        #expect(peer.recorder.errors.count == 1)
        #expect(!peer.channel.isActive)
    }

    /// Heartbeat (24) and unassigned types.
    @Test(arguments: TLSVersion.allCases, [19, 24, 99, 255] as [UInt8])
    func `A plaintext record of an unknown type is rejected`(version: TLSVersion, type: UInt8) throws {
        let peer = try peer(version)
        try peer.completeHandshake()
        peer.send(ByteBuffer(bytes: [type, 3, 3, 0, 30] + [UInt8](repeating: 1, count: 30)))
        #expect(throws: TLSError.self) { try peer.read() }
        guard case .protocolViolation? = peer.recorder.errors.first else {
            Issue.record("\(peer.recorder.errors)")
            return
        }
        #expect(!peer.channel.isActive)
    }

    @Test(arguments: [19, 20, 24, 99] as [UInt8])
    func `An encrypted record of an unexpected type is rejected`(type: UInt8) throws {
        let peer = try peer()
        try peer.completeHandshake()
        var sealer = try peer.sealer()
        peer.send(try sealer.seal(type, [1, 2, 3]))
        expectAlert("unexpected message", peer)
    }

    @Test func `Padding of any length is removed`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        var sealer = try peer.sealer()
        peer.send(try sealer.seal(23, Array("padded".utf8), padding: 16384 - 6))
        #expect(peer.recorder.received == ByteBuffer(string: "padded"))
        peer.send(try sealer.seal(23, Array("plain".utf8)))
        #expect(peer.recorder.received == ByteBuffer(string: "paddedplain"))
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `A record that contains only padding is rejected`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        var sealer = try peer.sealer()
        peer.send(try sealer.seal(0, [UInt8](repeating: 0, count: 100)))
        expectAlert("unexpected message", peer)
    }

    @Test func `A record with too much plaintext is rejected`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        var sealer = try peer.sealer()
        peer.send(try sealer.seal(23, [UInt8](repeating: 65, count: 16385)))
        expectAlert("record overflow", peer)
        #expect(peer.recorder.received.readableBytes == 0)
    }

    @Test func `The number of consecutive empty records is limited`() throws {
        let peer = try peer()
        try peer.completeHandshake()
        var sealer = try peer.sealer()
        var sent = 0
        while peer.channel.isActive, sent < 1000 {
            peer.send(try sealer.seal(23, []))
            sent += 1
        }
        #expect(sent < 1000)
        #expect(peer.recorder.received.readableBytes == 0)
        expectAlert("unexpected message", peer)
    }

    @Test(arguments: TLSVersion.allCases)
    func `Ten thousand records of one byte are one stream, in one read and in separate reads`(version: TLSVersion)
        throws
    {
        let peer = try peer(version)
        try peer.completeHandshake()
        let text = ByteBuffer(bytes: (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 13) })
        for byte in text.readableBytesView { try peer.client.write(ByteBuffer(bytes: [byte])) }
        peer.send(peer.takeClientBytes())
        #expect(peer.recorder.received == text)
        peer.recorder.received.clear()
        for byte in text.readableBytesView {
            try peer.client.write(ByteBuffer(bytes: [byte]))
            peer.send(peer.takeClientBytes())
        }
        #expect(peer.recorder.received == text)
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `Messages of the initial handshake are rejected after it`() throws {
        // ClientHello, EndOfEarlyData, Certificate, CertificateVerify, Finished, and an unassigned type.
        for message in [1, 5, 11, 15, 20, 77] as [UInt8] {
            let peer = try peer()
            try peer.completeHandshake()
            var sealer = try peer.sealer()
            peer.send(try sealer.seal(22, [message, 0, 0, 2, 0, 0]))
            expectAlert("unexpected message", peer)
        }
    }

    @Test func `An invalid key update is rejected`() throws {
        for body in [[2], [], [0, 0]] as [[UInt8]] {
            let peer = try peer()
            try peer.completeHandshake()
            var sealer = try peer.sealer()
            peer.send(try sealer.seal(22, [24, 0, 0, UInt8(body.count)] + body))
            #expect(throws: TLSError.self) { try peer.read() }
            #expect(peer.recorder.errors.count == 1)
            #expect(!peer.channel.isActive)
        }
    }

    @Test func `A handshake message of megabytes is rejected by its header`() throws {
        let peer = try peer()
        peer.send(ByteBuffer(bytes: [22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF]))
        guard case .handshakeFailed? = peer.recorder.errors.first else {
            Issue.record("\(peer.recorder.errors)")
            return
        }
        #expect(!peer.channel.isActive)
    }

    @Test(arguments: TLSVersion.allCases)
    func `A handshake that stops anywhere ends at its timeout or at the end of TCP`(version: TLSVersion) throws {
        let hello = try helloBytes(version)
        for length in [1, 4, 5, 6, 9, hello.readableBytes - 1, hello.readableBytes] {
            let waiting = try peer(version)
            waiting.send(try #require(hello.getSlice(at: 0, length: length)))
            waiting.channel.embeddedEventLoop.advanceTime(by: .seconds(10))
            #expect(waiting.recorder.errors == [.handshakeTimeout])
            #expect(waiting.recorder.isInactive)

            let gone = try peer(version)
            gone.channel.allowRemoteHalfClosure = true
            gone.send(try #require(hello.getSlice(at: 0, length: length)))
            gone.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            #expect(gone.recorder.errors == [.handshakeInterrupted])
            #expect(gone.recorder.isInactive)
        }
    }

    private func helloBytes(_ version: TLSVersion) throws -> ByteBuffer {
        let client = try peer(version)
        _ = try client.client.handshake()
        return client.takeClientBytes()
    }
}
