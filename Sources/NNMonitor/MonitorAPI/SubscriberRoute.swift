import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1
import Turns
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
                let access = request.access
                do throws(Subscribers.Refusal) {
                    // Counted before the 101 is sent, so that the limit and `/health` are exact.
                    let place = try monitor.subscribers.admit()
                    return .accept(headers: headers) { channel in install(on: channel, deflate, access, place) }
                } catch {
                    return .reject(.refusal(of: error))
                }
            }
        }
    }

    private func install(
        on channel: any Channel, _ deflate: DeflateParameters?, _ access: AccessGrant?,
        _ place: Subscribers.Place
    ) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers([
                WebSocketHandler(
                    configuration: monitor.configuration.webSocket, deflate: deflate,
                    turns: monitor.turns.queue(of: channel.eventLoop)),
                SubscriberSession(monitor: monitor, place: place, deflate: deflate, access: access),
            ])
        }
    }
}

extension HTTPResponse {
    /// The response to a subscriber that is not admitted: 503 with `Retry-After`.
    static func refusal(of refusal: Subscribers.Refusal) -> HTTPResponse {
        var response =
            switch refusal {
            case .full:
                HTTPResponse.error(
                    .serviceUnavailable, code: "too_many_subscribers",
                    message: "The server has its maximum number of subscribers; try again later")
            case .closed:
                HTTPResponse.error(
                    .serviceUnavailable, code: "stopping", message: "The server is stopping; try again later")
            }
        response.headers.add(name: "Retry-After", value: "10")
        return response
    }
}
