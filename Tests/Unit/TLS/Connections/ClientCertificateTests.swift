import COpenSSL
import TLS
import Testing

@Suite struct ClientCertificateTests {
    /// Performs the handshake and one echo: a TLS 1.3 client gets the alert about its certificate only when it reads.
    private func echo(_ port: Int, _ context: ClientContext) async throws -> [UInt8] {
        try await blocking {
            let connection = try BlockingClient(port: port, context: context)
            try connection.handshake()
            try connection.write([1, 2])
            return try connection.read(exactly: 2)
        }
    }

    @Test(arguments: TLSVersion.allCases)
    func `Only a client certificate of the configured authority is accepted`(version: TLSVersion) async throws {
        let folder = try TestFolder()
        let configured = try folder.clientAuthority("configured")
        let other = try folder.clientAuthority("other")
        let configuration = try folder.serverConfiguration(clientCAFile: configured.authority)
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let trusted = configuration.certificateFile
        let versions = version.rawValue...version.rawValue

        let good = try ClientContext(
            trusting: trusted, versions: versions, certificate: (configured.certificate, configured.key))
        #expect(try await echo(server.port, good) == [1, 2])

        let missing = try ClientContext(trusting: trusted, versions: versions)
        let missingFailure = await #expect(throws: BlockingClient.Failure.self) { try await echo(server.port, missing) }
        #expect(
            missingFailure?.description.contains(version == .v1_3 ? "certificate required" : "handshake failure")
                == true)

        let unknown = try ClientContext(
            trusting: trusted, versions: versions, certificate: (other.certificate, other.key))
        let refused = await #expect(throws: BlockingClient.Failure.self) { try await echo(server.port, unknown) }
        #expect(refused?.description.contains("unknown ca") == true)
        try await server.stop()
    }

    @Test(arguments: TLSVersion.allCases)
    func `A client certificate outside its validity period is rejected with an alert`(version: TLSVersion) async throws
    {
        let folder = try TestFolder()
        let configured = try folder.clientAuthority("configured")
        let configuration = try folder.serverConfiguration(clientCAFile: configured.authority)
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let expired = try folder.clientCertificate("expired", by: "configured", notBefore: -7200, notAfter: -3600)
        let notYetValid = try folder.clientCertificate(
            "not-yet-valid", by: "configured", notBefore: 3600, notAfter: 7200)
        for (pair, alert) in [(expired, "certificate expired"), (notYetValid, "bad certificate")] {
            let context = try ClientContext(
                trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue,
                certificate: pair)
            let refused = await #expect(throws: BlockingClient.Failure.self) { try await echo(server.port, context) }
            #expect(refused?.description.contains(alert) == true, "\(String(describing: refused))")
        }
        try await server.stop()
    }

    /// Resumption would skip the certificate, even after it has expired.
    @Test(arguments: TLSVersion.allCases)
    func `A session with a client certificate is not resumed`(version: TLSVersion) async throws {
        let folder = try TestFolder()
        let configured = try folder.clientAuthority("configured")
        let configuration = try folder.serverConfiguration(clientCAFile: configured.authority)
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let context = try ClientContext(
            trusting: configuration.certificateFile, versions: version.rawValue...version.rawValue,
            certificate: (configured.certificate, configured.key))
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
