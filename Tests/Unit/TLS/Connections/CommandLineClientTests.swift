import NIOCore
import TLS
import Testing

@Suite struct CommandLineClientTests {
    @Test func `curl over plain HTTP reads the injected answer`() async throws {
        let folder = try TestFolder()
        let server = try await TestServer.start(
            context: TLSContext(configuration: folder.serverConfiguration()),
            plaintextAnswer: { request in
                let isPost = String(buffer: request).hasPrefix("POST / HTTP/1.1\r\n")
                return ByteBuffer(
                    string: "HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\n\r\n\(isPost ? "posted" : "others")")
            })
        let port = server.port
        let body = try folder.write(String(repeating: "x", count: 300_000), to: "body")
        let answer = try await blocking {
            try run(
                "curl", ["-sS", "-i", "--max-time", "20", "--data-binary", "@\(body)", "http://127.0.0.1:\(port)/"])
        }
        #expect(answer.contains("HTTP/1.1 400 Bad Request"))
        #expect(answer.hasSuffix("\r\nposted"))
        let seen = await server.events { $0 == .inactive }
        #expect(seen == [.error(.plaintext), .inactive])
        try await server.stop()
    }

    @Test func `openssl s_client verifies the chain, name and protocol`() async throws {
        let folder = try TestFolder()
        let configuration = try folder.serverConfiguration()
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let port = server.port
        let output = try await blocking {
            try run(
                "openssl",
                [
                    "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", configuration.certificateFile,
                    "-verify_return_error", "-verify_hostname", "localhost", "-alpn", "http/1.1", "-no_comp",
                ])
        }
        #expect(output.contains("Verify return code: 0 (ok)"))
        #expect(output.contains("ALPN protocol: http/1.1"))
        #expect(output.contains("X25519"))
        #expect(output.contains("Compression: NONE"))
        try await server.stop()
    }
}
