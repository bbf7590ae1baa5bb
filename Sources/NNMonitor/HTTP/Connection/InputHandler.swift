import NIOCore

/// Stands before the decoder and tells the connection that bytes have come: the decoder says nothing until a head is
/// whole, and a deadline must run from a head's first byte.
final class ByteArrivalObserver: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: HTTPConnection

    init(connection: HTTPConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.connection.bytesArrived(Self.unwrapInboundIn(data))
        context.fireChannelRead(data)
    }
}

@available(*, unavailable)
extension ByteArrivalObserver: Sendable {}

/// Measures the request line, of which the decoder tells nothing when it gives up on a head. Of pipelined requests that
/// come in one piece it sees the first one's line only, and then takes a target that is too long for a header.
struct RequestLineMeter {
    /// Whether the line has ended within the limit.
    private(set) var hasEnded = false
    private var length = 0

    mutating func count(_ bytes: ByteBuffer, limit: Int) {
        guard !self.hasEnded, self.length <= limit else { return }
        let view = bytes.readableBytesView
        let end = view.firstIndex(of: UInt8(ascii: "\n"))
        self.length += view.distance(from: view.startIndex, to: end ?? view.endIndex)
        self.hasEnded = end != nil && self.length <= limit
    }
}
