import NIOCore

/// The key that a client masks a frame's payload with (RFC 6455 section 5.3).
struct FrameMask: Equatable {
    /// The four bytes of the key, the first one lowest.
    private let key: UInt32
    /// Bytes of the payload unmasked so far, modulo 4.
    private var position = 0

    /// - Parameter key: the key as it is read from the wire, in network order.
    init(key: UInt32) { self.key = key.byteSwapped }

    /// Unmasks the next piece of the payload in place.
    mutating func unmask(_ piece: inout ByteBuffer) {
        let shift = UInt32(position * 8)
        let rotated = shift == 0 ? key : key >> shift | key << (32 - shift)
        // The pointer is valid within the closure, and every access is within the buffer's bounds.
        unsafe piece.withUnsafeMutableReadableBytes { bytes in
            let wide = UInt64(rotated) << 32 | UInt64(rotated)
            var index = 0
            while index &+ 8 <= bytes.count {
                let word =
                    unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ wide
                unsafe bytes.storeBytes(of: word.littleEndian, toByteOffset: index, as: UInt64.self)
                index &+= 8
            }
            while index < bytes.count {
                unsafe bytes[index] ^= UInt8(truncatingIfNeeded: rotated >> UInt32(index % 4 * 8))
                index &+= 1
            }
        }
        position = (position + piece.readableBytes) % 4
    }
}
