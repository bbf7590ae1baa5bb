import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// A change of protocol under way.
    struct Upgrade {
        var isUnderWay = false
        /// What has come in since, besides the connection's held input.
        var leftovers: [NIOAny] = []
    }

    func decideUpgrade(_ request: HTTPRequest, by upgrader: Route.Upgrader, context: ChannelHandlerContext) {
        guard let exchange = self.exchange, let head = exchange.head else { return }
        switch upgrader(head, request) {
        case .reject(let response):
            self.answer(response)
        case .accept(let headers, let install):
            // The decoder stops after a request that asks for an upgrade, and only then. After any other, and after one
            // with a body, it would read the new protocol's bytes as HTTP. A connection that is to close can't go on
            // as another one.
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

    /// Writes 101 and leaves. In this order: the decoder goes, and what came to it in the meantime comes here and waits;
    /// the new protocol is installed behind; it gets what waited; this handler goes.
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
            ResponseDecoration.Circumstances(
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
        // The new protocol has no half-closed state: an end of input is the end.
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        let pipeline = context.pipeline.syncOperations
        let channel = context.channel
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        // The input's handler leaves at once; the decoder in a later turn of the loop, when it surely is not decoding.
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
        // It ended behind other requests, when the connection could still be half closed.
        if self.input.hasEnded { return context.close(promise: nil) }
        let channel = context.channel
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        // The read that was held back while the pipeline changed.
        channel.read()
    }
}
