import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// The state of a protocol change.
    struct Upgrade {
        var isUnderWay = false
        /// Input that arrived since the upgrade began, in addition to the connection's held input.
        var leftovers: [NIOAny] = []
    }

    func decideUpgrade(_ request: HTTPRequest, by upgrader: Route.Upgrader, context: ChannelHandlerContext) {
        guard let exchange = self.exchange, let head = exchange.head else { return }
        switch upgrader(head, request) {
        case .reject(let response):
            self.answer(response)
        case .accept(let headers, let install):
            // NIO's decoder stops only after a bodiless request that asks for an upgrade. After any other it would
            // parse the new protocol's bytes as HTTP. A connection that is to be closed cannot change its protocol.
            guard exchange.asksForUpgrade, exchange.method == .GET, !exchange.isHTTP10, head.isPersistent,
                BodyFraming(head.headers).length == 0
            else {
                var response = HTTPResponse.error(
                    .upgradeRequired, code: "upgrade_required",
                    message: "This address takes an upgrade only, without a body, of a connection that stays open")
                response.headers.add(name: "Upgrade", value: headers.first(name: "upgrade") ?? "websocket")
                return self.answer(response)
            }
            if let name = headers.nameOfUnwritable {
                self.server.log.unwritable(name, in: exchange)
                return self.answer(.internalError)
            }
            self.upgrade(headers: headers, install: install, context: context)
        }
    }

    /// Sends 101 and removes the HTTP handlers, in this order: remove the decoder (its unread bytes arrive here and are
    /// stored), install the new protocol's handlers after this one, forward the stored bytes, remove this handler.
    private func upgrade(
        headers: HTTPHeaders, install: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
        context: ChannelHandlerContext
    ) {
        guard let exchange = self.exchange, let codec = self.codec else { return }
        self.machine.upgrade()
        self.upgrade.isUnderWay = true
        var bytes = context.channel.allocator.buffer(capacity: 1024)
        self.server.decoration.write(
            HTTPResponse(status: .switchingProtocols, headers: headers),
            ResponseDecoration.ResponseContext(
                framing: .none, date: self.server.date.now, origin: exchange.origin, host: exchange.host,
                secure: self.secure, connection: nil),
            to: &bytes)
        context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: nil)
        self.exchange?.status = .switchingProtocols
        if let exchange = self.exchange {
            self.server.log.record(exchange, peer: self.peer, now: context.eventLoop.now, isComplete: true)
        }
        self.exchange = nil
        self.codec = nil
        // The new protocol has no half-closed state: the end of the input closes the connection.
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        let pipeline = context.pipeline.syncOperations
        let channel = context.channel
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        // The input handler is removed at once; NIO removes the decoder in a later tick of the loop, when it is not
        // decoding.
        pipeline.removeHandler(codec.input, promise: nil)
        pipeline.removeHandler(codec.decoder)
            .flatMap { install(channel) }
            .whenComplete { result in bound.value.installed(result) }
    }

    private func installed(_ result: Result<Void, any Error>) {
        guard let context = self.context else { return }
        guard case .success = result, context.channel.isActive else { return context.close(promise: nil) }
        var leftovers = self.upgrade.leftovers
        self.upgrade.leftovers = []
        if self.holdsInput { leftovers.insert(NIOAny(self.input.held), at: 0) }
        self.input.held = ByteBuffer()
        for data in leftovers { context.fireChannelRead(data) }
        if !leftovers.isEmpty { context.fireChannelReadComplete() }
        // The input ended while half-closure was enabled, after pipelined requests.
        if self.input.hasEnded { return context.close(promise: nil) }
        let channel = context.channel
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        // Issue the read that was held back during the change of the pipeline.
        channel.read()
    }
}
