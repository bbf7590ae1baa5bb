import NIOCore
import NIOHTTP1

/// Passes a connection on to another protocol: holds the bytes that arrive until its handlers are installed.
struct UpgradeHandOff {
    /// The bytes that followed the request, and those that have arrived since.
    private var held: [ByteBuffer] = []

    /// - Parameter rest: the bytes that followed the request.
    init(rest: ByteBuffer) { hold(rest) }

    mutating func hold(_ bytes: ByteBuffer) {
        if bytes.readableBytes > 0 { held.append(bytes) }
    }

    /// Removes and returns the held bytes, in the order of their arrival.
    mutating func take() -> [ByteBuffer] {
        defer { held = [] }
        return held
    }

    /// Calls the handler of an upgrade route, and rejects an upgrade that is not possible.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - exchange: its exchange.
    ///   - upgrader: the route's handler.
    ///   - log: receives headers that must not be written.
    /// - Returns: the decision.
    static func decide(
        _ request: HTTPRequest, _ exchange: Exchange, by upgrader: Route.Upgrader, log: AccessLog
    ) -> UpgradeDecision {
        guard let head = exchange.head else { return .reject(.internalError) }
        let decision = upgrader(head.nioHead, request)
        guard case .accept(let headers, _) = decision else { return decision }
        guard head.requestsUpgrade, head.method == .GET, !head.isHTTP10, head.isPersistent, head.framing.length == 0
        else {
            var response = HTTPResponse.error(
                .upgradeRequired, code: "upgrade_required",
                message: "This path requires a WebSocket upgrade without a body, on a keep-alive connection")
            response.headers.add(name: "Upgrade", value: headers.first(name: "upgrade") ?? "websocket")
            return .reject(response)
        }
        if let name = headers.nameOfUnwritable {
            log.unwritable(name, in: exchange)
            return .reject(.internalError)
        }
        return decision
    }
}
