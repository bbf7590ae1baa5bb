import COpenSSL

/// Bytes at a fixed address that are overwritten before they are freed: ticket keys, the text of a private key.
///
/// An array would leave copies behind when it grows, and would free its storage without overwriting it.
///
/// Memory: `init` allocates `count` bytes at `start`, `deinit` frees them. Closures get them for the duration of a
/// call.
@safe final class SecretBytes: Sendable {
    let count: Int

    // `init` writes the bytes before any other thread can have a reference, and they are only read afterwards until
    // `deinit`, which runs when no reference is left. So threads may share them.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer

    /// Allocates `count` zero bytes, which `body` then fills.
    init<Failure: Error>(
        count: Int, filledBy body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        self.count = count
        let start = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 1)
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        unsafe self.start = unsafe start
        // If `body` throws, all properties are set, so `deinit` frees the bytes.
        unsafe try body(UnsafeMutableRawBufferPointer(start: start, count: count))
    }

    /// Copies the first bytes; if `count` is larger than the source, zeros fill the rest.
    func copy(count: Int) -> SecretBytes {
        unsafe SecretBytes(count: count) { target in
            unsafe withUnsafeBytes { source in
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(target.count)))
            }
        }
    }

    deinit {
        // Unlike a plain store, the compiler cannot remove this call.
        unsafe OPENSSL_cleanse(start, count)
        unsafe start.deallocate()
    }

    /// Lends the bytes to `body` for the duration of the call.
    func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Returns true if the UTF-8 bytes of `text` occur in these bytes.
    func contains(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return unsafe withUnsafeBytes { bytes in
            guard bytes.count >= wanted.count else { return false }
            return (0...(bytes.count - wanted.count)).contains { index in
                unsafe bytes[index..<(index + wanted.count)].elementsEqual(wanted)
            }
        }
    }
}
