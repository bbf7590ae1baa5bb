import Compression
import NIOCore
import NIOEmbedded
import NIOWebSocket

@testable import WebSocket

/// The input of a WebSocket connection, with or without permessage-deflate.
///
/// Messages and responses do not depend on how the bytes are split, text is valid UTF-8, no message exceeds the limit,
/// and a silent peer is disconnected. Half of the inputs are parsed as frames. The other half are encoded as one valid
/// message that must arrive; when the server sends the same payload, a client with the negotiated window must be able
/// to decode it.
final class WebSocketTarget: FuzzTarget {
    private static let configuration = WebSocketConfiguration(
        maximumMessageSize: 8192, pingInterval: .seconds(20), pongTimeout: .seconds(20), closeTimeout: .seconds(5),
        maximumMessageRate: 1_000_000)

    init() {}

    func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let deflate = choices.yes() ? Self.parameters(&choices) : nil
        let seed = choices.number(in: 0...255)
        if choices.yes() {
            compare(ByteBuffer(bytes: choices.payload), deflate, seed: seed)
        } else {
            deliver(&choices, deflate, seed: seed)
        }
    }

    private static func parameters(_ choices: inout Choices) -> DeflateParameters {
        var parameters = DeflateParameters(clientNoContextTakeover: choices.yes())
        // 15 is the value for a choice of 0, so that an exhausted input selects the default.
        parameters.serverMaxWindowBits = 15 - choices.number(in: 0...7)
        parameters.clientMaxWindowBits = 15 - choices.number(in: 0...7)
        return parameters
    }

    private func compare(_ bytes: ByteBuffer, _ deflate: DeflateParameters?, seed: Int) {
        let whole = Conversation(Self.configuration, deflate, [bytes])
        let cut = Conversation(Self.configuration, deflate, bytes.pieces(seed: seed))
        require(whole.messages == cut.messages, "the same messages however the bytes are cut")
        // A message can violate two rules, and the splitting decides which is detected first. Both have the same close
        // code.
        require(
            whole.answers == cut.answers && whole.closeCode == cut.closeCode,
            "the same answers however the bytes are cut: \(whole.written) whole, \(cut.written) in pieces")
    }

    /// Sends the input as one message of valid frames.
    private func deliver(_ choices: inout Choices, _ deflate: DeflateParameters?, seed: Int) {
        let isText = choices.yes()
        let isCompressed = deflate != nil && choices.yes()
        let fragment = choices.number(in: 0...255) * 4 + 1
        let payload = Array(choices.payload.prefix(8192))
        let window = deflate?.clientMaxWindowBits ?? 15
        let carried = isCompressed ? ClientFrames.compressed(payload, windowBits: window) : payload
        let frames = ClientFrames.message(carried, isText: isText, isCompressed: isCompressed, fragment: fragment)
        let conversation = Conversation(Self.configuration, deflate, frames.pieces(seed: seed))
        if isText && String(validating: payload, as: UTF8.self) == nil {
            require(conversation.messages.isEmpty, "text that is no UTF-8 is not delivered")
            require(conversation.closeCode == 1007, "text that is no UTF-8 ends the connection with 1007")
        } else {
            let buffer = ByteBuffer(bytes: payload)
            require(conversation.messages == [isText ? .text(buffer) : .binary(buffer)], "a valid message arrives")
        }
        sendBack(payload, deflate)
    }

    /// Checks that a client with the negotiated window can decode a message from the server.
    private func sendBack(_ payload: [UInt8], _ deflate: DeflateParameters?) {
        let message = ByteBuffer(bytes: payload)
        var frame = WebSocketFrameEncoder(deflate: deflate).binary(message)
        guard let head = frame.readBytes(length: 2) else { fatalError("a frame has a head") }
        if head[1] == 126 { frame.moveReaderIndex(forwardBy: 2) }
        guard head[0] & 0x40 != 0 else {
            require(frame == message, "a message that is not compressed goes as it is")
            return
        }
        require(deflate?.compressesOutgoing == true, "only what was agreed is compressed")
        frame.writeBytes([0x00, 0x00, 0xFF, 0xFF])
        var read = ByteBuffer()
        do {
            let limits = ExpansionLimits(maximumSize: payload.count, maximumRatio: 1100)
            var inflater = try Inflater(format: .raw(windowBits: deflate?.serverMaxWindowBits ?? 15), limits: limits)
            // One byte per call: within a call zlib copies from its output, so only separate calls depend on the window
            // size.
            for byte in frame.readableBytesView {
                var piece = ByteBuffer(bytes: [byte])
                try inflater.inflate(&piece, into: &read)
            }
        } catch {
            fatalError("a client with the agreed window inflates what the server sends: \(error)")
        }
        require(read == message, "a message of the server's arrives")
    }
}

/// A connection from its first byte until the keep-alive closes it.
private final class Conversation {
    private(set) var messages: [WebSocketMessage] = []
    /// All bytes that the server wrote.
    private(set) var written: [UInt8] = []

    init(_ configuration: WebSocketConfiguration, _ deflate: DeflateParameters?, _ pieces: [ByteBuffer]) {
        let channel = EmbeddedChannel()
        let collector = Collector()
        do {
            try channel.pipeline.syncOperations.addHandlers([
                AutoRead(), WebSocketHandler(configuration: configuration, deflate: deflate), collector,
            ])
            try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 4000)).wait()
        } catch {
            fatalError("a connection is set up: \(error)")
        }
        for piece in pieces where channel.isActive {
            channel.pipeline.fireChannelRead(piece)
            channel.pipeline.fireChannelReadComplete()
            channel.embeddedEventLoop.run()
        }
        // The turns in which kept input is handled.
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        while let part = try? channel.readOutbound(as: ByteBuffer.self) { written += part.readableBytesView }
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        require(!channel.isActive, "a peer that answers no ping is dropped")
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
        messages = collector.messages
        for message in messages {
            switch message {
            case .text(let text):
                require(text.readableBytes <= configuration.maximumMessageSize, "a message is within the limit")
                require(String(validating: text.readableBytesView, as: UTF8.self) != nil, "text is UTF-8")
            case .binary(let bytes):
                require(bytes.readableBytes <= configuration.maximumMessageSize, "a message is within the limit")
            }
        }
    }

    /// The bytes before the close frame.
    var answers: ArraySlice<UInt8> { closeCode == nil ? written[...] : written[..<(written.lastIndex(of: 0x88) ?? 0)] }

    /// The code of the close frame at the end of the output.
    var closeCode: Int? {
        guard let start = written.lastIndex(of: 0x88), start + 3 < written.count else { return nil }
        return Int(written[start + 2]) << 8 | Int(written[start + 3])
    }

    final class Collector: ChannelInboundHandler {
        typealias InboundIn = WebSocketMessage

        var messages: [WebSocketMessage] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { messages.append(unwrapInboundIn(data)) }
    }
}

/// Requests the next read after each read, like a socket channel with auto-read.
private final class AutoRead: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        context.pipeline.read()
    }
}

@available(*, unavailable)
extension AutoRead: Sendable {}

/// Encodes a client's masked frames.
private enum ClientFrames {
    private static let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// A message in frames of at most `fragment` bytes.
    static func message(_ payload: [UInt8], isText: Bool, isCompressed: Bool, fragment: Int) -> ByteBuffer {
        var wire = ByteBuffer()
        var rest = payload[...]
        var isFirst = true
        repeat {
            let piece = rest.prefix(fragment)
            rest = rest.dropFirst(fragment)
            let opcode: UInt8 = isFirst ? (isText ? 1 : 2) : 0
            wire.writeInteger((rest.isEmpty ? 0x80 : 0) | (isFirst && isCompressed ? 0x40 : 0) | opcode)
            if piece.count < 126 {
                wire.writeInteger(0x80 | UInt8(piece.count))
            } else {
                wire.writeInteger(UInt8(0x80 | 126))
                wire.writeInteger(UInt16(piece.count))
            }
            wire.writeBytes(mask)
            wire.writeBytes(piece.enumerated().map { $1 ^ mask[$0 % 4] })
            isFirst = false
        } while !rest.isEmpty
        return wire
    }

    /// The compressed payload of a message (RFC 7692 section 7.2.1).
    static func compressed(_ payload: [UInt8], windowBits: Int) -> [UInt8] {
        do {
            var deflater = try Deflater(format: .raw(windowBits: windowBits), level: 6)
            var output = ByteBuffer()
            try deflater.deflate(ByteBuffer(bytes: payload), into: &output, flush: .sync)
            return Array(output.readableBytesView.dropLast(4))
        } catch {
            fatalError("the client compresses: \(error)")
        }
    }
}

@available(*, unavailable)
extension Conversation.Collector: Sendable {}
