import COpenSSL
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

import TLS

/// Session tickets (RFC 5077, RFC 8446 §4.6.1) and early data (§4.2.10).
@Suite struct ResumptionTests {
    let folder: TestFolder
    let configuration: TLSConfiguration

    init() throws {
        folder = try TestFolder()
        configuration = try folder.serverConfiguration()
    }

    /// A connection, with the session that it leaves behind for the next; `nil` without a ticket.
    private func connect(
        _ context: TLSContext, _ version: TLSVersion, resuming session: Session? = nil
    ) throws -> (peer: EmbeddedPeer, session: Session?) {
        let peer = try EmbeddedPeer(
            context: context, trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue)
        if let session { try #require(SSL_set_session(peer.clientSSL, session.pointer) == 1) }
        try peer.shakeHands()
        // OpenSSL forgets the session of a connection that it has not ended.
        peer.client.closeOutput()
        return (peer, Session(of: peer.clientSSL))
    }

    @Test(arguments: TLSVersion.allCases)
    func `A ticket serves while its key does, is renewed, and is refused when its key is gone`(
        version: TLSVersion
    ) throws {
        let time = Mutex(1_000_000)
        let context = try TLSContext(configuration: configuration) { time.withLock { $0 } }
        let first = try #require(try connect(context, version).session)

        // Before one lifetime of the key is over, it opens.
        time.withLock { $0 += 7000 }
        let (early, _) = try connect(context, version, resuming: first)
        #expect(early.client.isResumed)

        // In the second lifetime it opens, and the ticket is replaced by one of the next key.
        time.withLock { $0 += 3000 }
        let (late, renewed) = try connect(context, version, resuming: first)
        #expect(late.client.isResumed)
        let second = try #require(renewed)
        #expect(second.ticket != first.ticket)

        // The next key has begun with that ticket. A lifetime later the first one is gone.
        time.withLock { $0 += 7300 }
        let (refused, _) = try connect(context, version, resuming: first)
        #expect(!refused.client.isResumed)
        #expect(refused.recorder.errors.isEmpty)
        let (kept, _) = try connect(context, version, resuming: second)
        #expect(kept.client.isResumed)
    }

    @Test(arguments: TLSVersion.allCases)
    func `A ticket of another context, spoilt or made up is passed over`(version: TLSVersion) throws {
        let context = try TLSContext(configuration: configuration)
        let session = try #require(try connect(context, version).session)

        let other = try TLSContext(configuration: configuration)
        #expect(!(try connect(other, version, resuming: session).peer.client.isResumed))

        // The key's name, the initialization vector, the sealed state, the MAC.
        for place in [0, 20, 60, session.ticket.count - 1] {
            let spoilt = try #require(session.spoilt(at: place))
            let (peer, _) = try connect(context, version, resuming: spoilt)
            #expect(!peer.client.isResumed, "at \(place)")
            #expect(peer.recorder.errors.isEmpty)
        }
        #expect(try connect(context, version, resuming: session).peer.client.isResumed)
    }

    @Test func `Early data is not taken, and the handshake goes on`() throws {
        let context = try TLSContext(configuration: configuration)
        let session = try #require(try connect(context, .v1_3).session)
        // Our tickets allow none; this client thinks otherwise.
        try #require(SSL_SESSION_get_max_early_data(session.pointer) == 0)
        try #require(SSL_SESSION_set_max_early_data(session.pointer, 16384) == 1)
        let peer = try EmbeddedPeer(
            context: context, trusting: configuration.certificateFile,
            versions: TLSVersion.v1_3.rawValue...TLSVersion.v1_3.rawValue)
        try #require(SSL_set_session(peer.clientSSL, session.pointer) == 1)
        let early = Array("POST / HTTP/1.1\r\n".utf8)
        var written = 0
        try #require(SSL_write_early_data(peer.clientSSL, early, early.count, &written) == 1)
        try peer.shakeHands()
        #expect(SSL_get_early_data_status(peer.clientSSL) == SSL_EARLY_DATA_REJECTED)
        #expect(peer.client.isResumed)
        #expect(peer.recorder.received.readableBytes == 0)
        try peer.client.write(ByteBuffer(string: "in time"))
        peer.send(peer.takeClientBytes())
        #expect(peer.recorder.received == ByteBuffer(string: "in time"))
        #expect(peer.recorder.errors.isEmpty)
    }

    @Test func `More early data than a client may send ends the connection`() throws {
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

/// The client's memory of a connection.
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

    /// A copy whose ticket has one byte changed: the ticket is looked for in the session's DER form.
    func spoilt(at place: Int) -> Session? {
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
        bytes[found + place] ^= 0x10
        return bytes.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return d2i_SSL_SESSION(nil, &start, buffer.count).map { Session(owning: $0) }
        }
    }
}
