import COpenSSL
import NIOCore
import NIOEmbedded
import Synchronization
import TLS
import Testing

/// Session tickets (RFC 5077, RFC 8446 section 4.6.1) and early data (RFC 8446 section 4.2.10).
@Suite struct ResumptionTests {
    let folder: TestFolder
    let configuration: TLSConfiguration

    init() throws {
        folder = try TestFolder()
        configuration = try folder.serverConfiguration()
    }

    /// Makes a connection; returns it and its session, which is `nil` without a ticket.
    private func connect(
        _ context: TLSContext, _ version: TLSVersion, resuming session: Session? = nil
    ) throws -> (peer: EmbeddedPeer, session: Session?) {
        let peer = try EmbeddedPeer(
            context: context, trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue)
        if let session { try #require(SSL_set_session(peer.clientSSL, session.pointer) == 1) }
        try peer.completeHandshake()
        // OpenSSL discards the session of a connection that was not closed.
        peer.client.closeOutput()
        return (peer, Session(of: peer.clientSSL))
    }

    @Test(arguments: TLSVersion.allCases)
    func `A ticket is accepted for two lifetimes of its key, renewed in the second, and then ignored`(
        version: TLSVersion
    ) throws {
        let time = Mutex(1_000_000)
        let context = try TLSContext(configuration: configuration) { time.withLock { $0 } }
        let first = try #require(try connect(context, version).session)

        // Within the first lifetime of the key.
        time.withLock { $0 += 7000 }
        let (early, _) = try connect(context, version, resuming: first)
        #expect(early.isResumed)

        // In the second lifetime: accepted, and replaced by a ticket of the next key.
        time.withLock { $0 += 3000 }
        let (late, renewed) = try connect(context, version, resuming: first)
        #expect(late.isResumed)
        let second = try #require(renewed)
        #expect(second.ticket != first.ticket)

        // One lifetime after the next key was made, the first key is gone.
        time.withLock { $0 += 7300 }
        let (refused, _) = try connect(context, version, resuming: first)
        #expect(!refused.isResumed)
        #expect(refused.recorder.errors.isEmpty)
        let (kept, _) = try connect(context, version, resuming: second)
        #expect(kept.isResumed)
    }

    @Test(arguments: TLSVersion.allCases)
    func `A ticket of another context or with a changed byte is ignored`(version: TLSVersion) throws {
        let context = try TLSContext(configuration: configuration)
        let session = try #require(try connect(context, version).session)

        let other = try TLSContext(configuration: configuration)
        #expect(!(try connect(other, version, resuming: session).peer.isResumed))

        // In the name of the key, the initialization vector, the encrypted state and the MAC.
        for index in [0, 20, 60, session.ticket.count - 1] {
            let changed = try #require(session.changed(at: index))
            let (peer, _) = try connect(context, version, resuming: changed)
            #expect(!peer.isResumed, "at \(index)")
            #expect(peer.recorder.errors.isEmpty)
        }
        #expect(try connect(context, version, resuming: session).peer.isResumed)
    }

    @Test func `Early data is rejected, and the handshake continues`() throws {
        let context = try TLSContext(configuration: configuration)
        let session = try #require(try connect(context, .v1_3).session)
        // Our tickets allow no early data; make the client send some anyway.
        try #require(SSL_SESSION_get_max_early_data(session.pointer) == 0)
        try #require(SSL_SESSION_set_max_early_data(session.pointer, 16384) == 1)
        let peer = try EmbeddedPeer(
            context: context, trusting: configuration.certificateFile,
            versions: TLSVersion.v1_3.rawValue...TLSVersion.v1_3.rawValue)
        try #require(SSL_set_session(peer.clientSSL, session.pointer) == 1)
        let early = Array("POST / HTTP/1.1\r\n".utf8)
        var written = 0
        try #require(SSL_write_early_data(peer.clientSSL, early, early.count, &written) == 1)
        try peer.completeHandshake()
        #expect(SSL_get_early_data_status(peer.clientSSL) == SSL_EARLY_DATA_REJECTED)
        #expect(peer.isResumed)
        #expect(peer.recorder.received.readableBytes == 0)
        try peer.client.write(ByteBuffer(string: "in time"))
        peer.send(peer.takeClientBytes())
        #expect(peer.recorder.received == ByteBuffer(string: "in time"))
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `Too much early data ends the connection`() throws {
        let context = try TLSContext(configuration: configuration)
        let session = try #require(try connect(context, .v1_3).session)
        try #require(SSL_SESSION_set_max_early_data(session.pointer, .max) == 1)
        let peer = try EmbeddedPeer(
            context: context, trusting: configuration.certificateFile,
            versions: TLSVersion.v1_3.rawValue...TLSVersion.v1_3.rawValue)
        try #require(SSL_set_session(peer.clientSSL, session.pointer) == 1)
        let piece = [UInt8](repeating: 65, count: 16384)
        var sent = 0
        while peer.channel.isActive, sent < 10_000_000 {
            var written = 0
            try #require(SSL_write_early_data(peer.clientSSL, piece, piece.count, &written) == 1)
            peer.send(peer.takeClientBytes())
            sent += written
        }
        #expect(sent < 100_000)
        #expect(peer.recorder.received.readableBytes == 0)
        guard case .handshakeFailed? = peer.recorder.errors.first else {
            Issue.record("\(peer.recorder.errors)")
            return
        }
    }
}

/// A client's session, to be resumed by a later connection.
private final class Session {
    let pointer: OpaquePointer

    init?(of ssl: OpaquePointer) {
        guard let session = SSL_get1_session(ssl), SSL_SESSION_has_ticket(session) == 1 else { return nil }
        pointer = session
    }

    private init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        SSL_SESSION_free(pointer)
    }

    var ticket: [UInt8] {
        var start: UnsafePointer<UInt8>?
        var count = 0
        SSL_SESSION_get0_ticket(pointer, &start, &count)
        return Array(UnsafeBufferPointer(start: start, count: count))
    }

    /// Copies the session with one byte of the ticket changed, which is located in the DER form of the session.
    func changed(at index: Int) -> Session? {
        var bytes = [UInt8](repeating: 0, count: Int(i2d_SSL_SESSION(pointer, nil)))
        bytes.withUnsafeMutableBufferPointer { buffer in
            var end = buffer.baseAddress
            i2d_SSL_SESSION(pointer, &end)
        }
        let ticket = self.ticket
        guard
            let found = (0...(bytes.count - ticket.count)).first(where: { start in
                bytes[start..<(start + ticket.count)].elementsEqual(ticket)
            })
        else { return nil }
        bytes[found + index] ^= 0x10
        return bytes.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return d2i_SSL_SESSION(nil, &start, buffer.count).map { Session(owning: $0) }
        }
    }
}
