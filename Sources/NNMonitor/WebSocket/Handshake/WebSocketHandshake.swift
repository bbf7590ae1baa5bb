package import NIOHTTP1
import NIOCore
import NIOWebSocket

/// Answers a client's opening handshake (RFC 6455 section 4.2).
package enum WebSocketHandshake {
    /// What to do with the request.
    package enum Outcome: Sendable {
        /// Answer 101 with these headers; then the connection speaks WebSocket.
        case accepted(headers: HTTPHeaders, deflate: DeflateParameters?)
        /// Answer this; the connection stays HTTP.
        case rejected(status: HTTPResponseStatus, headers: HTTPHeaders, message: String)
    }

    /// Checks the request and negotiates permessage-deflate.
    ///
    /// - Parameters:
    ///   - head: the request; its route and its origin were checked before.
    ///   - configuration: whether permessage-deflate is taken.
    /// - Returns: what to answer.
    package static func negotiate(_ head: HTTPRequestHead, configuration: WebSocketConfiguration) -> Outcome {
        let upgrades = head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
        let connection = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
        guard head.method == .GET, head.version == .http1_1, upgrades, connection else {
            return upgradeRequired("This address speaks WebSocket: ask for an upgrade")
        }
        guard head.headers["sec-websocket-version"] == ["13"] else {
            return upgradeRequired("Only version 13 of WebSocket is spoken here")
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, isKey(keys[0]) else {
            return .rejected(
                status: .badRequest, headers: [:], message: "Sec-WebSocket-Key must be 16 bytes in base64, once")
        }
        var headers: HTTPHeaders = [
            "upgrade": "websocket", "connection": "upgrade", "sec-websocket-accept": WebSocketAcceptKey.answer(keys[0]),
        ]
        guard configuration.deflate, let offer = DeflateParameters.negotiate(head.headers["sec-websocket-extensions"])
        else { return .accepted(headers: headers, deflate: nil) }
        headers.add(name: "sec-websocket-extensions", value: offer.answer)
        return .accepted(headers: headers, deflate: offer.parameters)
    }

    private static func upgradeRequired(_ message: String) -> Outcome {
        .rejected(
            status: .upgradeRequired,
            headers: ["upgrade": "websocket", "connection": "upgrade", "sec-websocket-version": "13"],
            message: message)
    }

    /// Whether a text is 16 bytes in base64: 22 characters and `==`. The last character has four bits more than it needs;
    /// what they are is not looked at, as most readers of base64 don't.
    private static func isKey(_ text: String) -> Bool {
        let characters = Array(text.utf8)
        guard characters.count == 24, text.hasSuffix("==") else { return false }
        return characters[..<22].allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }
}
