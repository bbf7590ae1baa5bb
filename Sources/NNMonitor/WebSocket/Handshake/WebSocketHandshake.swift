import NIOCore
package import NIOHTTP1
import NIOWebSocket
import Foundations

/// The server's part of the opening handshake (RFC 6455 section 4.2).
package enum WebSocketHandshake {
    /// The response to the request.
    package enum Outcome: Sendable {
        /// Respond with 101 and these headers, then switch to WebSocket.
        case accepted(headers: HTTPHeaders, deflate: DeflateParameters?)
        /// Respond with this status; the connection stays HTTP.
        case rejected(status: HTTPResponseStatus, headers: HTTPHeaders, message: String)
    }

    /// Computes the SHA-1 of some bytes, in base64 with padding. The caller provides it, from its cryptographic
    /// library.
    package typealias SHA1Base64 = @Sendable ([UInt8]) -> String

    /// Validates the request and negotiates permessage-deflate.
    ///
    /// - Parameters:
    ///   - head: the request, whose route and origin the caller has checked.
    ///   - configuration: whether permessage-deflate is accepted.
    ///   - sha1Base64: computes `Sec-WebSocket-Accept`.
    /// - Returns: the response.
    package static func negotiate(
        _ head: HTTPRequestHead, configuration: WebSocketConfiguration, sha1Base64: SHA1Base64
    ) -> Outcome {
        let upgrades = head.headers[canonicalForm: "upgrade"].contains { $0.isASCIIWord("websocket") }
        let connection = head.headers[canonicalForm: "connection"].contains { $0.isASCIIWord("upgrade") }
        guard head.method == .GET, head.version == .http1_1, upgrades, connection else {
            return upgradeRequired("This resource requires WebSocket: send an upgrade request")
        }
        guard head.headers["sec-websocket-version"] == ["13"] else {
            return upgradeRequired("Sec-WebSocket-Version must be 13, the only supported version")
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, isKey(keys[0]) else {
            return .rejected(
                status: .badRequest, headers: [:],
                message: "Sec-WebSocket-Key must be sent once and contain 16 bytes in base64")
        }
        var headers: HTTPHeaders = [
            "upgrade": "websocket", "connection": "upgrade",
            // RFC 6455 section 4.2.2, step 5.4.
            "sec-websocket-accept": sha1Base64(Array((keys[0] + guid).utf8)),
        ]
        guard configuration.deflate, let offer = DeflateParameters.negotiate(head.headers["sec-websocket-extensions"])
        else { return .accepted(headers: headers, deflate: nil) }
        headers.add(name: "sec-websocket-extensions", value: offer.response)
        return .accepted(headers: headers, deflate: offer.parameters)
    }

    /// The GUID of RFC 6455 section 1.3.
    private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    private static func upgradeRequired(_ message: String) -> Outcome {
        .rejected(
            status: .upgradeRequired,
            headers: ["upgrade": "websocket", "connection": "upgrade", "sec-websocket-version": "13"],
            message: message)
    }

    /// Returns true for 16 bytes in base64: 22 characters and `==`. Like most decoders, it ignores the four unused bits
    /// of the last character.
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
