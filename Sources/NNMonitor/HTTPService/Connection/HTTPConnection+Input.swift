import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// The input that is not decoded yet.
    struct Input {
        var held = ByteBuffer()
        var bounds: MessageBounds
        /// Whether the client has closed its sending side after the held bytes.
        var hasEnded = false
        /// Whether the decoder can read another request. It cannot after one that asked for an upgrade.
        var decoder = DecoderState.ready
        /// Whether the current request asks for an upgrade.
        var asksForUpgrade = false
    }

    enum DecoderState { case ready, spent, beingReplaced }

    var holdsInput: Bool { self.input.held.readableBytes > 0 }

    /// Receives bytes from the client.
    func bytesArrived(_ bytes: ByteBuffer) {
        if self.holdsInput {
            self.input.held.writeImmutableBuffer(bytes)
        } else {
            self.input.held = bytes
        }
        self.pump()
    }

    /// Decodes the next piece of the input if the state machine wants it.
    ///
    /// A request is decoded only after the previous one was answered. A connection thus holds at most one decoded
    /// request, which takes many times the memory of its bytes.
    ///
    /// - Returns: whether anything was done.
    func decodeNext(context: ChannelHandlerContext) -> Bool {
        guard self.machine.wantsInput(writable: context.channel.isWritable) else { return false }
        guard self.machine.discardsInput || self.decoderIsReady(context: context) else { return false }
        guard self.holdsInput else {
            guard self.input.hasEnded else { return false }
            self.input.hasEnded = false
            self.codec?.input.endInput()
            return true
        }
        let step = self.machine.bytesArrived(self.input.held.readableBytes, now: context.eventLoop.now)
        if self.machine.discardsInput {
            self.input.held = ByteBuffer()
        } else {
            self.decodePiece()
        }
        if let step { self.perform(step, context: context) }
        return true
    }

    private func decodePiece() {
        var held = self.input.held
        self.input.held = ByteBuffer()
        do throws(RequestFailure) {
            let piece = try self.input.bounds.takePiece(of: &held)
            // Release the buffer if it is used up.
            if held.readableBytes > 0 { self.input.held = held }
            guard let piece else { return }
            self.codec?.input.decode(piece)
            try self.input.bounds.pieceWasDecoded()
        } catch {
            self.machine.fail(error)
        }
    }

    /// Passes a decoded part to the message bounds and the state machine.
    func decoded(_ part: HTTPServerRequestPart) {
        self.input.bounds.decoded(part)
        switch part {
        case .head(let head):
            self.input.asksForUpgrade = head.asksForUpgrade
            self.machine.receive(.head(head))
        case .body(let bytes): self.machine.receive(.body(bytes))
        case .end(let trailers):
            if self.input.asksForUpgrade { self.input.decoder = .spent }
            if let trailers, TrailerFields.areForbidden(trailers) {
                self.machine.receive(.failure(.malformed("The trailer has a field that can't stand there")))
            } else {
                self.machine.receive(.end)
            }
        }
    }

    /// Whether the decoder can read the next request. After a request that asked for an upgrade it reads nothing more;
    /// if the connection continues with HTTP, the decoder is replaced in a later tick of the loop.
    private func decoderIsReady(context: ChannelHandlerContext) -> Bool {
        guard self.input.decoder == .spent, let codec = self.codec else { return self.input.decoder == .ready }
        guard self.holdsInput || self.input.hasEnded else { return false }
        self.input.decoder = .beingReplaced
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.pipeline.syncOperations.removeHandler(codec.decoder).whenComplete { _ in
            bound.value.replaceDecoder()
        }
        return false
    }

    private func replaceDecoder() {
        guard let context = self.context, let input = self.codec?.input else { return }
        let decoder = self.server.makeDecoder()
        do {
            try context.pipeline.syncOperations.addHandler(decoder, position: .after(input))
        } catch {
            context.close(promise: nil)
            return
        }
        self.codec?.decoder = decoder
        self.input.decoder = .ready
        self.pump()
        self.update()
    }
}
