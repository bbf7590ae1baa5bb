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
        return WebSocketHandshake.negotiate(
            head, configuration: WebSocketConfiguration(),
            sha1Base64: { "SHA-1 of " + String(decoding: $0, as: UTF8.self) })
    }

    private func rejection(_ outcome: WebSocketHandshake.Outcome) -> UInt? {
        if case .rejected(let status, _, _) = outcome { status.code } else { nil }
    }

    @Test func `Sec-WebSocket-Accept is the SHA-1 of the key and the GUID of RFC 6455`() {
        guard case .accepted(let headers, let deflate) = negotiate() else {
            Issue.record("rejected")
            return
        }
        #expect(
            headers["Sec-WebSocket-Accept"] == ["SHA-1 of dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"]
        )
        #expect(deflate == nil)
        #expect(headers["Sec-WebSocket-Extensions"].isEmpty)
    }

    @Test func `A request without a valid upgrade is rejected with 426 or 400`() {
        #expect(rejection(negotiate(["Upgrade": nil])) == 426)
        #expect(rejection(negotiate(["Connection": "keep-alive"])) == 426)
        #expect(rejection(negotiate(["Sec-WebSocket-Version": "8"])) == 426)
        #expect(rejection(negotiate(["Sec-WebSocket-Version": nil])) == 426)
        #expect(rejection(negotiate(["Sec-WebSocket-Key": "short"])) == 400)
        #expect(rejection(negotiate(["Sec-WebSocket-Key": nil])) == 400)
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
    func `Offers are accepted or declined by the rules of RFC 7692 section 7_1`(offer: String, answer: String?) {
        #expect(DeflateParameters.negotiate([offer])?.response == answer)
        guard case .accepted(let headers, let deflate) = negotiate(extensions: [offer]) else {
            Issue.record("rejected")
            return
        }
        #expect(headers["Sec-WebSocket-Extensions"].first == answer)
        #expect((deflate != nil) == (answer != nil))
    }
}
