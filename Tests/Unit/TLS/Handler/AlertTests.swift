import NIOCore
import NIOEmbedded
import TLS
import Testing

/// What the peer's alerts do at each stage of a connection (RFC 8446 §6, RFC 5246 §7.2).
@Suite struct AlertTests {
    private static let closeNotify: [UInt8] = [1, 0]
    private static let userCanceled: [UInt8] = [1, 90]
    private static let handshakeFailure: [UInt8] = [2, 40]

    let folder: TestFolder
    let configuration: TLSConfiguration
    let context: TLSContext

    init() throws {
        folder = try TestFolder()
        configuration = try folder.serverConfiguration()
        context = try TLSContext(configuration: configuration)
    }

    private func peer(_ version: TLSVersion) throws -> EmbeddedPeer {
        let peer = try EmbeddedPeer(
            context: context, trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue)
        peer.channel.allowRemoteHalfClosure = true
        return peer
    }

    private func plain(_ alert: [UInt8]) -> ByteBuffer {
        ByteBuffer(bytes: [21, 3, 3, 0, UInt8(alert.count)] + alert)
    }

    private func isHandshakeFailure(_ peer: EmbeddedPeer) -> Bool {
        if case .handshakeFailed? = peer.recorder.errors.first { peer.recorder.errors.count == 1 } else { false }
    }

    @Test func `Before the hello any alert ends the connection`() throws {
        for alert in [Self.handshakeFailure, Self.closeNotify, Self.userCanceled] {
            let peer = try peer(.v1_3)
            peer.send(plain(alert))
            #expect(isHandshakeFailure(peer), "\(alert): \(peer.recorder.errors)")
            #expect(!peer.channel.isActive)
        }
    }

    @Test(arguments: TLSVersion.allCases)
    func `Between hello and Finished an alert ends the connection`(version: TLSVersion) throws {
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

    @Test func `Warnings do not go on for ever`() throws {
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

    @Test func `Alerts that are cut off or empty are refused`() throws {
        for alert in [[], [2], [1, 0, 0], [3, 40]] as [[UInt8]] {
            let peer = try peer(.v1_2)
            _ = try peer.client.handshake()
            peer.send(peer.takeClientBytes())
            peer.send(plain(alert))
            #expect(isHandshakeFailure(peer), "\(alert): \(peer.recorder.errors)")
            #expect(!peer.channel.isActive)
        }
    }

    /// The alert is a real one: the client has been given a spoilt record.
    @Test(arguments: TLSVersion.allCases)
    func `After the handshake a fatal alert ends the connection with the alert's name`(version: TLSVersion) throws {
        let peer = try peer(version)
        try peer.shakeHands()
        try peer.client.write(ByteBuffer(string: "last words"))
        try peer.channel.writeOutbound(ByteBuffer(string: "spoilt"))
        var record = try peer.takeServerBytes()
        record.setInteger(try #require(record.getInteger(at: 9, as: UInt8.self)) ^ 1, at: 9)
        peer.client.receive(record)
        var plaintext = ByteBuffer()
        #expect(throws: TLSError.self) { try peer.client.read(into: &plaintext) }
        peer.send(peer.takeClientBytes())
        // What came before the alert was good.
        #expect(peer.recorder.received == ByteBuffer(string: "last words"))
        #expect(peer.recorder.errors.count == 1)
        #expect(peer.recorder.errors.first?.description.contains("alert bad record mac") == true)
        #expect(peer.recorder.inputClosed == 0)
        #expect(!peer.channel.isActive)
        #expect(throws: (any Error).self) { try peer.channel.writeOutbound(ByteBuffer(string: "to nobody")) }
    }

    @Test func `After the handshake a warning of TLS 1_3 that is not known ends the connection`() throws {
        let peer = try peer(.v1_3)
        try peer.shakeHands()
        var forge = try peer.forge()
        peer.send(try forge.seal(21, [1, 100]))
        #expect(peer.recorder.errors.count == 1)
        #expect(!peer.channel.isActive)
    }

    @Test func `user_canceled and then close_notify end the input`() throws {
        let peer = try peer(.v1_3)
        try peer.shakeHands()
        var forge = try peer.forge()
        peer.send(try forge.seal(21, Self.userCanceled))
        #expect(peer.recorder.inputClosed == 0)
        peer.send(try forge.seal(21, Self.closeNotify))
        #expect(peer.recorder.inputClosed == 1)
        #expect(peer.recorder.errors.isEmpty)
        #expect(peer.channel.isActive)
    }

    @Test(arguments: TLSVersion.allCases)
    func `What follows close_notify is dropped, in the same read and in later ones`(version: TLSVersion) throws {
        let peer = try peer(version)
        try peer.shakeHands()
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
