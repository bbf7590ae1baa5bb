import COpenSSL
import NIOCore
import TLS
import Testing

private let v1_1: Int32 = 0x0302

@Suite struct ConnectionTests {
    let folder: TestFolder
    let configuration: TLSConfiguration

    init() throws {
        folder = try TestFolder()
        configuration = try folder.serverConfiguration()
    }

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    @Test(arguments: TLSVersion.allCases)
    func `Both versions negotiate a forward-secret AEAD suite and ALPN`(version: TLSVersion) async throws {
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let client = try ClientContext(
            trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue,
            protocols: ["h2", "http/1.1"])
        let port = server.port
        try await blocking {
            let connection = try BlockingClient(port: port, context: client)
            try connection.handshake()
            #expect(connection.version == version.rawValue)
            #expect(connection.negotiatedProtocol == "http/1.1")
            #expect(connection.cipher.hasPrefix(version == .v1_3 ? "TLS_" : "ECDHE-"))
            #expect(connection.cipher.contains("GCM") || connection.cipher.contains("CHACHA20"))
            try connection.write(Array("hello".utf8))
            #expect(try connection.read(exactly: 5) == Array("hello".utf8))
            connection.closeNotify()
            #expect(try connection.readToCloseNotify().isEmpty)
        }
        let seen = await server.events { $0 == .inactive }
        #expect(seen == [.handshake("http/1.1"), .inputClosed, .shutdown, .inactive])
        try await server.stop()
    }

    @Test func `Deprecated versions and suites are rejected`() async throws {
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let old = try ClientContext(trusting: configuration.certificateFile, versions: v1_1...v1_1)
        let cbc = try ClientContext(
            trusting: configuration.certificateFile, versions: TLSVersion.v1_2.rawValue...TLSVersion.v1_2.rawValue,
            suites: "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA")
        let port = server.port
        for context in [old, cbc] {
            await #expect(throws: BlockingClient.Failure.self) {
                try await blocking { try BlockingClient(port: port, context: context).handshake() }
            }
        }
        try await server.stop()
    }

    @Test func `TLS 1.2 is rejected if the minimum version is TLS 1.3`() async throws {
        let strict = try folder.serverConfiguration(minimumVersion: .v1_3)
        let server = try await TestServer.start(context: TLSContext(configuration: strict))
        let client = try ClientContext(
            trusting: strict.certificateFile, versions: TLSVersion.v1_2.rawValue...TLSVersion.v1_2.rawValue)
        let port = server.port
        let failure = await #expect(throws: BlockingClient.Failure.self) {
            try await blocking { try BlockingClient(port: port, context: client).handshake() }
        }
        #expect(failure?.description.contains("protocol version") == true)
        try await server.stop()
    }

    @Test func `A client that offers only unknown protocols gets no_application_protocol`() async throws {
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let client = try ClientContext(trusting: configuration.certificateFile, protocols: ["h2"])
        let port = server.port
        let failure = await #expect(throws: BlockingClient.Failure.self) {
            try await blocking { try BlockingClient(port: port, context: client).handshake() }
        }
        #expect(failure?.description.contains("no application protocol") == true)
        try await server.stop()
    }

    @Test(arguments: TLSVersion.allCases)
    func `Sessions are resumed with tickets`(version: TLSVersion) async throws {
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let client = try ClientContext(
            trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue)
        let port = server.port
        try await blocking {
            let first = try BlockingClient(port: port, context: client)
            try first.handshake()
            #expect(!first.isResumed)
            // A TLS 1.3 client receives its tickets with the first read.
            try first.write([1])
            #expect(try first.read(exactly: 1) == [1])
            let session = try #require(first.session)
            defer { SSL_SESSION_free(session) }
            first.closeNotify()
            let second = try BlockingClient(port: port, context: client, resuming: session)
            try second.handshake()
            #expect(second.isResumed)
            try second.write([2])
            #expect(try second.read(exactly: 1) == [2])
        }
        try await server.stop()
    }

    @Test(arguments: TLSVersion.allCases)
    func `Ten megabytes are echoed unchanged`(version: TLSVersion) async throws {
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let client = try ClientContext(
            trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue)
        let port = server.port
        let sent = bytes(10_000_000)
        let received = try await blocking {
            let connection = try BlockingClient(port: port, context: client)
            try connection.handshake()
            // Alternate writes and reads, so that the two sides' blocking writes do not deadlock.
            var received: [UInt8] = []
            for start in stride(from: 0, to: sent.count, by: 500_000) {
                try connection.write(Array(sent[start..<min(start + 500_000, sent.count)]))
                received += try connection.read(exactly: min(500_000, sent.count - start))
            }
            return received
        }
        #expect(received == sent)
        try await server.stop()
    }

    @Test(arguments: [true, false])
    func `After the end of the client's input the server sends ten megabytes and close_notify`(
        hasCloseNotify: Bool
    ) async throws {
        let sent = bytes(10_000_000)
        let server = try await TestServer.start(context: TLSContext(configuration: configuration)) {
            let handler = EchoHandler()
            handler.replyAtEnd = ByteBuffer(bytes: sent)
            return handler
        }
        let client = try ClientContext(trusting: configuration.certificateFile)
        let port = server.port
        let received = try await blocking {
            let connection = try BlockingClient(port: port, context: client)
            try connection.handshake()
            if hasCloseNotify { connection.closeNotify() }
            connection.shutdownTCPOutput()
            return try connection.readToCloseNotify()
        }
        #expect(received == sent)
        let seen = await server.events { $0 == .inactive }
        #expect(seen == [.handshake(nil), .inputClosed, .shutdown, .inactive])
        try await server.stop()
    }

    @Test func `Without half-closure a close_notify is answered and closes the channel`() async throws {
        let server = try await TestServer.start(
            context: TLSContext(configuration: configuration), halfClosure: false)
        let client = try ClientContext(trusting: configuration.certificateFile)
        let port = server.port
        try await blocking {
            let connection = try BlockingClient(port: port, context: client)
            try connection.handshake()
            connection.closeNotify()
            #expect(try connection.readToCloseNotify().isEmpty)
        }
        let seen = await server.events { $0 == .inactive }
        #expect(seen == [.handshake(nil), .shutdown, .inactive])
        try await server.stop()
    }

    @Test func `Without half-closure the end of TCP alone is a truncation`() async throws {
        let server = try await TestServer.start(
            context: TLSContext(configuration: configuration), halfClosure: false)
        let client = try ClientContext(trusting: configuration.certificateFile)
        let port = server.port
        try await blocking {
            let connection = try BlockingClient(port: port, context: client)
            try connection.handshake()
            try connection.write([7])
            #expect(try connection.read(exactly: 1) == [7])
            connection.shutdownTCPOutput()
            // The server closes: the client gets the end of the stream or an error, but no data.
            #expect(throws: BlockingClient.Failure.self) { try connection.readToCloseNotify() }
        }
        let seen = await server.events { $0 == .inactive }
        #expect(seen == [.handshake(nil), .error(.truncated), .inactive])
        try await server.stop()
    }

    @Test func `Without autoRead the handshake reads on its own, then the application reads explicitly`() async throws {
        let server = try await TestServer.start(
            context: TLSContext(configuration: configuration), autoRead: false
        ) {
            let handler = EchoHandler()
            handler.readsExplicitly = true
            return handler
        }
        let client = try ClientContext(trusting: configuration.certificateFile)
        let port = server.port
        try await blocking {
            let connection = try BlockingClient(port: port, context: client)
            try connection.handshake()
            for size in [1, 5, 20_000, 400_000] {
                try connection.write([UInt8](repeating: 9, count: size))
                #expect(try connection.read(exactly: size).count == size)
            }
            connection.closeNotify()
            #expect(try connection.readToCloseNotify().isEmpty)
        }
        try await server.stop()
    }

    @Test func `Renegotiation is rejected with no_renegotiation, and the next client is served`() async throws {
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let client = try ClientContext(
            trusting: configuration.certificateFile, versions: TLSVersion.v1_2.rawValue...TLSVersion.v1_2.rawValue)
        let port = server.port
        try await blocking {
            let connection = try BlockingClient(port: port, context: client)
            try connection.handshake()
            // Without this extension OpenSSL's client would not attempt it.
            #expect(connection.supportsSecureRenegotiation)
            let refusal = #expect(throws: BlockingClient.Failure.self) { try connection.renegotiate() }
            #expect(refusal?.description == "renegotiation: no renegotiation")
        }
        // After the warning no_renegotiation the client may continue (RFC 5246 section 7.2.2); OpenSSL's closes.
        let seen = await server.events { $0 == .inactive }
        guard seen.count == 3, seen[0] == .handshake(nil), case .error(let error) = seen[1] else {
            Issue.record("\(seen)")
            return
        }
        #expect(error.description.contains("alert handshake failure"))
        try await blocking {
            let second = try BlockingClient(port: port, context: client)
            try second.handshake()
            try second.write([7])
            #expect(try second.read(exactly: 1) == [7])
        }
        try await server.stop()
    }

    @Test func `A client that does not trust the certificate causes an error with its alert`() async throws {
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let other = try TestFolder()
        let client = try ClientContext(trusting: other.serverConfiguration().certificateFile)
        let port = server.port
        try await blocking {
            let connection = try BlockingClient(port: port, context: client)
            #expect(throws: BlockingClient.Failure.self) { try connection.handshake() }
            connection.shutdownTCPOutput()
            connection.drainTCP()
        }
        let seen = await server.events { $0 == .inactive }
        guard case .error(.handshakeFailed(let reason))? = seen.first else {
            Issue.record("\(seen)")
            return
        }
        #expect(reason.description.contains("alert"))
        try await server.stop()
    }
}
