import DequeModule
import NIOCore

/// Bytes in pieces of 256 KiB, which are freed one after the other.
struct BodyPieces: Sendable {
    /// The size of a piece, in bytes. A buffer that grows as a whole would take up to twice what it contains.
    static let size = 256 << 10

    private var pieces: Deque<ByteBuffer> = []
    /// The number of bytes that were appended.
    private var count = 0

    /// Appends bytes. Keeps the first ones without a copy: small bodies arrive in one part.
    mutating func append(_ part: ByteBuffer) {
        count += part.readableBytes
        guard !pieces.isEmpty else { return pieces.append(part) }
        var part = part
        var room = pieces.count == 1 ? 0 : Self.size - pieces[pieces.count - 1].readableBytes
        while part.readableBytes > 0 {
            if room <= 0 {
                var piece = ByteBuffer()
                // A body that goes on is expected to become twice as long.
                piece.reserveCapacity(min(Self.size, max(count, part.readableBytes)))
                pieces.append(piece)
                room = Self.size
            }
            guard var next = part.readSlice(length: min(room, part.readableBytes)) else { return }
            room -= next.readableBytes
            pieces[pieces.count - 1].writeBuffer(&next)
        }
    }

    /// Removes and returns the first piece.
    mutating func popFirst() -> ByteBuffer? { pieces.popFirst() }

    /// Appends a piece as it is.
    mutating func append(piece: ByteBuffer) { pieces.append(piece) }
}
