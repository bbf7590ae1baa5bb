import NIOCore

extension ByteBuffer {
    /// The bytes in pieces of 1 to 64 bytes, derived from a seed. Each piece has its own storage, like reads from a
    /// socket.
    func pieces(seed: Int) -> [ByteBuffer] {
        var cuts = Cuts(seed: seed)
        var rest = self
        var pieces: [ByteBuffer] = []
        while rest.readableBytes > 0, let piece = rest.readBytes(length: min(cuts.next(), rest.readableBytes)) {
            pieces.append(ByteBuffer(bytes: piece))
        }
        return pieces
    }
}
