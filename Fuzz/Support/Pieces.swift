import NIOCore

extension ByteBuffer {
    /// The same bytes in pieces of 1 to 64, by a seed; each with memory of its own, as reads from a socket have it.
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
