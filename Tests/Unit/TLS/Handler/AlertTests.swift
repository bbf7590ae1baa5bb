import NIOCore
import NIOEmbedded
import TLS
import Testing

/// The effect of the peer's alerts at each stage of a connection (RFC 8446 section 6, RFC 5246 section 7.2).
@Suite struct AlertTests {
    private static let closeNotify: [UInt8] = [1, 0]
    private static let userCanceled: [UInt8] = [1, 90]
    private static let handshakeFailure: [UInt8] = [2, 40]

    private let fixture: HandlerFixture

    init() throws { fixture = try HandlerFixture() }

    private func peer(_ version: TLSVersion) throws -> EmbeddedPeer {
        let peer = try fixture.peer(version)
        peer.channel.allowRemoteHalfClosure = true
        return peer
    }

    private func plain(_ alert: [UInt8]) -> ByteBuffer {
        ByteBuffer(bytes: [21, 3, 3, 0, UInt8(alert.count)] + alert)
    }

    private func isHandshakeFailure(_ peer: EmbeddedPeer) -> Bool {
        if case .handshakeFailed? = peer.recorder.errors.first { peer.recorder.errors.count == 1 } else { false }
    }

    @Test func `An alert before the ClientHello ends the connection`() throws {
        for alert in [Self.handshakeFailure, Self.closeNotify, Self.userCanceled] {
            let peer = try peer(.v1_3)
            peer.send(plain(alert))
            #expect(isHandshakeFailure(peer), "\(alert): \(peer.recorder.errors)")
            #expect(!peer.channel.isActive)
        }
    }

    @Test(arguments: TLSVersion.allCases)
    func `An alert between ClientHello and Finished ends the connection`(version: TLSVersion) throws {
        for alert in [Self.handshakeFailure, Self.closeNotify] {
            let peer = try peer(version)
            _ = try peer.client.handshake()
            peer.send(peer.takeClientBytes())
            #expect(try peer.takeServerBytes().readableBytes > 0)
            peer.send(plain(alert))
            #expect(isHandshakeFailure(peer), "\(alert): \(peer.recorder.errors)")
            #expect(!peer.channel.isActive)
        }
    }

    @Test func `The number of warnings during the handshake is limited`() throws {
        let peer = try peer(.v1_2)
        _ = try peer.client.handshake()
        peer.send(peer.takeClientBytes())
        var sent = 0
        while peer.channel.isActive, sent < 100 {
            peer.send(plain(Self.userCanceled))
            sent += 1
        }
        #expect(sent < 100)
        #expect(isHandshakeFailure(peer))
    }

    @Test func `Truncated, empty and invalid alerts end the connection`() throws {
        for alert in [[], [2], [1, 0, 0], [3, 40]] as [[UInt8]] {
            let peer = try peer(.v1_2)
            _ = try peer.client.handshake()
            peer.send(peer.takeClientBytes())
            peer.send(plain(alert))
            #expect(isHandshakeFailure(peer), "\(alert): \(peer.recorder.errors)")
            #expect(!peer.channel.isActive)
        }
    }

    /// The client sends a genuine alert because it received a corrupted record.
    @Test(arguments: TLSVersion.allCases)
    func `A fatal alert after the handshake ends the connection with the alert's name in the error`(version: TLSVersion)
        throws
    {
        let peer = try peer(version)
        try peer.completeHandshake()
        try peer.client.write(ByteBuffer(string: "before the alert"))
        try peer.channel.writeOutbound(ByteBuffer(string: "corrupted"))
        var record = try peer.takeServerBytes()
        record.setInteger(try #require(record.getInteger(at: 9, as: UInt8.self)) ^ 1, at: 9)
        peer.client.receive(record)
        var plaintext = ByteBuffer()
        #expect(throws: TLSError.self) { try peer.client.read(into: &plaintext) }
        peer.send(peer.takeClientBytes())
        // Data before the alert is delivered.
        #expect(peer.recorder.received == ByteBuffer(string: "before the alert"))
        #expect(peer.recorder.errors.count == 1)
        #expect(peer.recorder.errors.first?.description.contains("alert bad record mac") == true)
        #expect(peer.recorder.inputClosed == 0)
        #expect(!peer.channel.isActive)
        #expect(throws: (any Error).self) { try peer.channel.writeOutbound(ByteBuffer(string: "too late")) }
    }

    @Test func `An unknown alert after the handshake ends a TLS 1_3 connection`() throws {
        let peer = try peer(.v1_3)
        try peer.completeHandshake()
        var sealer = try peer.sealer()
        peer.send(try sealer.seal(21, [1, 100]))
        #expect(peer.recorder.errors.count == 1)
        #expect(!peer.channel.isActive)
    }

    @Test func `user_canceled has no effect, and close_notify after it ends the input`() throws {
        let peer = try peer(.v1_3)
        try peer.completeHandshake()
        var sealer = try peer.sealer()
        peer.send(try sealer.seal(21, Self.userCanceled))
        #expect(peer.recorder.inputClosed == 0)
        peer.send(try sealer.seal(21, Self.closeNotify))
        #expect(peer.recorder.inputClosed == 1)
        #expect(peer.recorder.errors.isEmpty)
        #expect(peer.channel.isActive)
    }

    @Test(arguments: TLSVersion.allCases)
    func `Data after close_notify is discarded, in the same read and in later ones`(version: TLSVersion) throws {
        let peer = try peer(version)
        try peer.completeHandshake()
        try peer.client.write(ByteBuffer(string: "before"))
        peer.client.closeOutput()
        var bytes = peer.takeClientBytes()
        bytes.writeBytes([UInt8](repeating: 23, count: 1000))
        peer.send(bytes)
        for _ in 0..<100 { peer.send(ByteBuffer(repeating: 0xFF, count: 10_000)) }
        #expect(peer.recorder.received == ByteBuffer(string: "before"))
        #expect(peer.recorder.inputClosed == 1)
        #expect(peer.recorder.errors.isEmpty)
        try peer.channel.writeOutbound(ByteBuffer(string: "the answer"))
        #expect(try peer.read() == ByteBuffer(string: "the answer"))
    }
}
