import COpenSSL

/// Bytes at one place in memory that are wiped when they are let go: ticket keys, the text of a private key.
///
/// An array would leave copies behind as it grows, and its freed storage would keep what it held.
///
/// Memory: the `count` bytes from `start` on are allocated in `init` and freed in `deinit`; closures are lent them for their
/// call only.
@safe final class SecretBytes: Sendable {
    let count: Int

    // Allocated and filled in `init`, before anybody else has the object, and only read afterwards: it can be shared by
    // all threads. It is freed in `deinit`, when nobody has the object any more.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer

    /// Allocates `count` bytes, zero at first, and lets `body` fill them.
    init<Failure: Error>(
        count: Int, filledBy body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        self.count = count
        let start = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 1)
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        unsafe self.start = unsafe start
        // Valid for the `count` bytes that were allocated above. When it throws, `deinit` frees them.
        unsafe try body(UnsafeMutableRawBufferPointer(start: start, count: count))
    }

    /// The first bytes of this object, as many as both have room for; the rest is zero.
    func copy(count: Int) -> SecretBytes {
        unsafe SecretBytes(count: count) { target in
            unsafe withUnsafeBytes { source in
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(target.count)))
            }
        }
    }

    deinit {
        // The library's own way, which no compiler takes for useless.
        unsafe OPENSSL_cleanse(start, count)
        unsafe start.deallocate()
    }

    /// Lends the bytes to `body`; they are valid during the call only.
    func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The object, and so the allocation, lives until the call ends.
        unsafe try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// True when a text stands somewhere in the bytes.
    func contains(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return unsafe withUnsafeBytes { bytes in
            guard bytes.count >= wanted.count else { return false }
            return (0...(bytes.count - wanted.count)).contains { place in
                unsafe bytes[place..<(place + wanted.count)].elementsEqual(wanted)
            }
        }
    }
}
