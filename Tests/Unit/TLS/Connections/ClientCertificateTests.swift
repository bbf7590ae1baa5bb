import COpenSSL
import TLS
import Testing

@Suite struct ClientCertificateTests {
    /// Handshake and one echo: in TLS 1.3 the client learns only by reading that its certificate was refused.
    private func echo(_ port: Int, _ context: ClientContext) async throws -> [UInt8] {
        try await blocking {
            let connection = try BlockingClient(port: port, context: context)
            try connection.handshake()
            try connection.write([1, 2])
            return try connection.read(exactly: 2)
        }
    }

    @Test(arguments: TLSVersion.allCases)
    func `Only a certificate of the right authority opens the door`(version: TLSVersion) async throws {
        let folder = try TestFolder()
        let right = try folder.clientAuthority("right")
        let wrong = try folder.clientAuthority("wrong")
        let configuration = try folder.serverConfiguration(clientCAFile: right.authority)
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let trusted = configuration.certificateFile
        let versions = version.rawValue...version.rawValue

        let good = try ClientContext(
            trusting: trusted, versions: versions, certificate: (right.certificate, right.key))
        #expect(try await echo(server.port, good) == [1, 2])

        let missing = try ClientContext(trusting: trusted, versions: versions)
        let bare = await #expect(throws: BlockingClient.Failure.self) { try await echo(server.port, missing) }
        #expect(bare?.description.contains(version == .v1_3 ? "certificate required" : "handshake failure") == true)

        let stranger = try ClientContext(
            trusting: trusted, versions: versions, certificate: (wrong.certificate, wrong.key))
        let refused = await #expect(throws: BlockingClient.Failure.self) { try await echo(server.port, stranger) }
        #expect(refused?.description.contains("unknown ca") == true)
        try await server.stop()
    }

    @Test(arguments: TLSVersion.allCases)
    func `A certificate out of its time is refused with an alert that says so`(version: TLSVersion) async throws {
        let folder = try TestFolder()
        let right = try folder.clientAuthority("right")
        let configuration = try folder.serverConfiguration(clientCAFile: right.authority)
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let old = try folder.clientCertificate("old", by: "right", notBefore: -7200, notAfter: -3600)
        let young = try folder.clientCertificate("young", by: "right", notBefore: 3600, notAfter: 7200)
        for (pair, alert) in [(old, "certificate expired"), (young, "bad certificate")] {
            let context = try ClientContext(
                trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue,
                certificate: pair)
            let refused = await #expect(throws: BlockingClient.Failure.self) { try await echo(server.port, context) }
            #expect(refused?.description.contains(alert) == true, "\(String(describing: refused))")
        }
        try await server.stop()
    }

    /// A ticket would stand in for the certificate, and its successors for as long as the client comes back: also when
    /// the certificate's time is over.
    @Test(arguments: TLSVersion.allCases)
    func `A session with a client certificate is not resumed`(version: TLSVersion) async throws {
        let folder = try TestFolder()
        let right = try folder.clientAuthority("right")
        let configuration = try folder.serverConfiguration(clientCAFile: right.authority)
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let context = try ClientContext(
            trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue,
            certificate: (right.certificate, right.key))
        let port = server.port
        try await blocking {
            let first = try BlockingClient(port: port, context: context)
            try first.handshake()
            try first.write([1])
            #expect(try first.read(exactly: 1) == [1])
            let session = try #require(first.session)
            defer { SSL_SESSION_free(session) }
            #expect(SSL_SESSION_has_ticket(session) == 0)
            first.closeNotify()
            let second = try BlockingClient(port: port, context: context, resuming: session)
            try second.handshake()
            #expect(!second.isResumed)
            try second.write([2])
            #expect(try second.read(exactly: 1) == [2])
        }
        try await server.stop()
    }
}
