import Foundation
import HTTPService
import MonitorCore
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing
import WebSocket

@testable import MonitorAPI

/// A subscriber's session on a testing channel, without the WebSocket handler: messages in, messages out.
struct Subscriber {
    let channel: NIOAsyncTestingChannel

    init(
        _ monitor: Monitor, on channel: NIOAsyncTestingChannel = NIOAsyncTestingChannel(), access: AccessGrant? = nil
    ) async throws {
        self.channel = channel
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(
                SubscriberSession(monitor: monitor, deflate: nil, access: access))
        }.get()
    }

    /// Sends a text message to the session.
    func send(_ text: String) async throws {
        try await channel.writeInbound(WebSocketMessage.text(ByteBuffer(string: text)))
    }

    /// The next message, its fragments joined.
    func receive() async throws -> [String: Any] {
        var text: [UInt8] = []
        while true {
            switch try await channel.waitForOutboundWrite(as: WebSocketOutbound.self) {
            case .text(let message): return try Self.object(Array(message.readableBytesView))
            case .prepared(var frame):
                let start = frame.readBytes(length: 2)
                let header = try #require(start)
                let isLast = header[0] & 0x80 != 0
                switch header[1] {
                case 126: _ = frame.readInteger(as: UInt16.self)
                case 127: _ = frame.readInteger(as: UInt64.self)
                default: break
                }
                text += frame.readableBytesView
                if isLast { return try Self.object(text) }
            case .close(let code, _): return ["close": UInt16(webSocketErrorCode: code)]
            case .binary: throw ChannelError.operationUnsupported
            }
        }
    }

    private static func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }
}

extension SubscriberSession {
    /// A session with a place in the registry.
    convenience init(monitor: Monitor, deflate: DeflateParameters?, access: AccessGrant?) throws {
        self.init(monitor: monitor, place: try monitor.subscribers.admit(), deflate: deflate, access: access)
    }
}
