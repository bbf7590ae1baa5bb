import HTTPService
import NIOCore
import NIOHTTP1
import WebSocket

/// `GET /ws`: upgrades the connection to a subscriber's WebSocket.
struct SubscriberRoute: Sendable {
    private let monitor: Monitor

    init(_ monitor: Monitor) { self.monitor = monitor }

    var route: Route {
        .upgrade("/ws", scope: .read) { head, request in
            let outcome = WebSocketHandshake.negotiate(
                head, configuration: monitor.configuration.webSocket, sha1Base64: monitor.sha1Base64)
            switch outcome {
            case .rejected(let status, let headers, let message):
                let code = status == .upgradeRequired ? "upgrade_required" : "bad_request"
                var response = HTTPResponse.error(status, code: code, message: message)
                response.headers.add(contentsOf: headers)
                return .reject(response)
            case .accepted(let headers, let deflate):
                guard monitor.acceptsSubscribers else {
                    var response = HTTPResponse.error(
                        .serviceUnavailable, code: "too_many_subscribers",
                        message: "The server has its maximum number of subscribers; try again later")
                    response.headers.add(name: "Retry-After", value: "10")
                    return .reject(response)
                }
                let access = request.access
                return .accept(headers: headers) { channel in install(on: channel, deflate, access) }
            }
        }
    }

    private func install(
        on channel: any Channel, _ deflate: DeflateParameters?, _ access: AccessGrant?
    ) -> EventLoopFuture<Void> {
        monitor.addSubscriber(channel)
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers([
                WebSocketHandler(configuration: monitor.configuration.webSocket, deflate: deflate),
                SubscriberSession(monitor: monitor, deflate: deflate, access: access),
            ])
        }
    }
}
