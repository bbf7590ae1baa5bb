import NIOCore
import NIOHTTP1
import Testing

@testable import WebSocket

@Suite struct HandshakeTests {
    private func negotiate(_ changes: [String: String?] = [:], extensions: [String] = []) -> WebSocketHandshake.Outcome
    {
        var headers: HTTPHeaders = [
            "Host": "h", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
        ]
        for (name, value) in changes {
            headers.remove(name: name)
            if let value { headers.add(name: name, value: value) }
        }
        for value in extensions { headers.add(name: "Sec-WebSocket-Extensions", value: value) }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/ws", headers: headers)
        return WebSocketHandshake.negotiate(head, configuration: WebSocketConfiguration())
    }

    private func rejection(_ outcome: WebSocketHandshake.Outcome) -> UInt? {
        if case .rejected(let status, _, _) = outcome { status.code } else { nil }
    }

    @Test func theExampleOfTheRFCIsAnswered() {
        guard case .accepted(let headers, let deflate) = negotiate() else {
            Issue.record("rejected")
            return
        }
        #expect(headers["Sec-WebSocket-Accept"] == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
        #expect(deflate == nil)
        #expect(headers["Sec-WebSocket-Extensions"].isEmpty)
    }

    @Test func whatIsNoUpgradeIsAskedForOne() {
        #expect(rejection(negotiate(["Upgrade": nil])) == 426)
        #expect(rejection(negotiate(["Connection": "keep-alive"])) == 426)
        #expect(rejection(negotiate(["Sec-WebSocket-Version": "8"])) == 426)
        #expect(rejection(negotiate(["Sec-WebSocket-Version": nil])) == 426)
        #expect(rejection(negotiate(["Sec-WebSocket-Key": "short"])) == 400)
        #expect(rejection(negotiate(["Sec-WebSocket-Key": nil])) == 400)
    }

    @Test func aLongerMessageHashesToo() {
        // RFC 3174 section 7.3, TEST2: two blocks.
        let text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        let hex = WebSocketAcceptKey.sha1(Array(text.utf8)).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }
        #expect(hex.joined() == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
    }

    static let base = "permessage-deflate; server_no_context_takeover"

    @Test(
        arguments: [
            ("permessage-deflate", base),
            ("permessage-deflate; client_max_window_bits", base),
            ("permessage-deflate; client_max_window_bits=10", base + "; client_max_window_bits=10"),
            ("permessage-deflate; server_max_window_bits=\"9\"", base + "; server_max_window_bits=9"),
            (
                "permessage-deflate ;server_no_context_takeover;client_no_context_takeover",
                base + "; client_no_context_takeover"
            ),
            (
                "x-unknown, permessage-deflate; what=1, permessage-deflate; server_max_window_bits=8",
                base + "; server_max_window_bits=8"
            ),
            ("permessage-deflate; server_max_window_bits", nil),
            ("permessage-deflate; server_max_window_bits=16", nil),
            ("permessage-deflate; server_max_window_bits=08", nil),
            ("permessage-deflate; client_max_window_bits=7", nil),
            ("permessage-deflate; server_no_context_takeover=1", nil),
            ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", nil),
            ("permessage-deflate;", nil),
            ("x-webkit-deflate-frame", nil),
        ] as [(String, String?)])
    func offersAreTakenAsTheRFCSays(offer: String, answer: String?) {
        #expect(DeflateParameters.negotiate([offer])?.answer == answer)
        guard case .accepted(let headers, let deflate) = negotiate(extensions: [offer]) else {
            Issue.record("rejected")
            return
        }
        #expect(headers["Sec-WebSocket-Extensions"].first == answer)
        #expect((deflate != nil) == (answer != nil))
    }
}
