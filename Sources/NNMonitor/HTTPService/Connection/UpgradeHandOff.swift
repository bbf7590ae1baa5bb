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

    /// The response to a request for which an upgrade was accepted that cannot take place; nil if it can. It takes a
    /// GET of HTTP/1.1 without a body, on a connection that is not to be closed.
    static func refusal(of head: RequestHead, headers: HTTPHeaders) -> HTTPResponse? {
        guard head.asksForUpgrade, head.method == .GET, !head.isHTTP10, head.isPersistent, head.framing.length == 0
        else {
            var response = HTTPResponse.error(
                .upgradeRequired, code: "upgrade_required",
                message: "This address takes an upgrade only, without a body, of a connection that stays open")
            response.headers.add(name: "Upgrade", value: headers.first(name: "upgrade") ?? "websocket")
            return response
        }
        return nil
    }
}
