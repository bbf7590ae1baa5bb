import NIOCore
import NIOHTTP1
import NIOPosix
import TLS

/// Sends one message at a time, each on a connection of its own: alerts are too rare to keep connections open.
struct WebhookClient: Sendable {
    /// A message to a webhook.
    struct Request: Sendable {
        let address: WebAddress
        let delivery: String
        let body: [UInt8]
    }

    let eventLoop: any EventLoop
    let tls: TLSClientContext?
    let connectTimeout: TimeAmount
    let timeout: TimeAmount

    /// Sends a message.
    ///
    /// - Parameter request: the message.
    /// - Returns: what came of it, within `timeout` in any case; `.failed` if the task is cancelled.
    func send(_ request: Request) async -> DeliveryOutcome {
        let response = eventLoop.makePromise(of: HTTPResponseHead.self)
        let timer = eventLoop.scheduleTask(in: timeout) { response.fail(SendFailure.timeout) }
        connect(request, response)
        defer { timer.cancel() }
        do {
            let head = try await withTaskCancellationHandler {
                try await response.futureResult.get()
            } onCancel: {
                response.fail(SendFailure.cancelled)
            }
            return DeliveryOutcome(head)
        } catch {
            return .failed(SendFailure.reason(error), retryAfter: nil)
        }
    }

    private func connect(_ request: Request, _ response: EventLoopPromise<HTTPResponseHead>) {
        let address = request.address
        let head = Self.head(of: request)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(connectTimeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { [tls, timeout] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if address.isSecure {
                        guard let tls else { throw SendFailure.closed }
                        try pipeline.addHandler(
                            TLSHandler(
                                context: tls, expecting: TLSPeerName(address.host), handshakeTimeout: timeout))
                    }
                    try pipeline.addHandler(ResponseLimit())
                    try pipeline.addHandler(HTTPRequestEncoder())
                    try pipeline.addHandler(
                        ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)))
                    try pipeline.addHandler(
                        ResponseHandler(head: head, body: ByteBuffer(bytes: request.body), response: response))
                }
            }
            .connect(host: address.host, port: address.port)
            .whenFailure { response.fail($0) }
    }

    private static func head(of request: Request) -> HTTPRequestHead {
        var headers: HTTPHeaders = [
            "Host": request.address.authority,
            "User-Agent": "NNMonitor",
            "Content-Type": "application/json",
            "Content-Length": "\(request.body.count)",
            // The same if the message is sent again, in every format.
            "NNMonitor-Delivery": request.delivery,
            "Connection": "close",
        ]
        if let authorization = request.address.authorization {
            headers.add(name: "Authorization", value: authorization)
        }
        return HTTPRequestHead(version: .http1_1, method: .POST, uri: request.address.target, headers: headers)
    }
}
