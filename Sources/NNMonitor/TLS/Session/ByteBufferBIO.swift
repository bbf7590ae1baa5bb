import COpenSSL
import NIOCore

/// The backing store of an OpenSSL BIO: one `ByteBuffer` of ciphertext from the network, one of ciphertext to send.
///
/// Reads never block: if the inbound buffer is empty, the BIO returns "retry". The BIO never reports the end of the
/// stream; the channel handler deals with it.
///
/// Memory: The BIO has an unretained pointer to this object, so the owner of both frees the BIO first (`makeBIO`). The
/// pointers that OpenSSL passes to the callbacks are valid during the call and are not kept.
@safe final class ByteBufferBIO {
    /// Ciphertext from the network that OpenSSL has not read yet.
    private(set) var inbound = ByteBuffer()

    /// Ciphertext that OpenSSL wrote and that has not been sent yet.
    private(set) var outbound = ByteBuffer()

    /// Appends ciphertext from the network. Copies nothing if the inbound buffer is empty.
    func receive(_ bytes: ByteBuffer) {
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            var bytes = bytes
            inbound.writeBuffer(&bytes)
        }
    }

    /// Reserves space for `byteCount` bytes of ciphertext, so that a batch of records grows the buffer once.
    func reserve(_ byteCount: Int, allocator: ByteBufferAllocator) {
        if outbound.readableBytes == 0 {
            outbound = allocator.buffer(capacity: byteCount)
        } else {
            outbound.reserveCapacity(minimumWritableBytes: byteCount)
        }
    }

    /// Removes and returns the ciphertext to send; `nil` if there is none.
    func takeOutbound() -> ByteBuffer? {
        guard outbound.readableBytes > 0 else { return nil }
        let bytes = outbound
        outbound = ByteBuffer()
        return bytes
    }

    /// Makes a BIO that reads from and writes to this object.
    ///
    /// - Returns: the BIO, which the caller must free before it releases this object; `nil` if memory is exhausted.
    func makeBIO() -> OpaquePointer? {
        guard let method = unsafe Self.method, let bio = unsafe BIO_new(method) else { return nil }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    // Initialized once; OpenSSL only reads the table, so threads may share it.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = unsafe BIO_meth_new(type, "ByteBuffer") else { return nil }
        unsafe BIO_meth_set_read(method, byteBufferBIORead)
        unsafe BIO_meth_set_write(method, byteBufferBIOWrite)
        unsafe BIO_meth_set_ctrl(method, byteBufferBIOControl)
        return unsafe method
    }()

    fileprivate func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        // Both buffers are valid during the closure, and `count` is within the bounds of both.
        let count = unsafe inbound.readWithUnsafeReadableBytes { source in
            let count = min(source.count, target.count)
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
            return count
        }
        // Release the storage: idle connections hold no buffers.
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        return count
    }

    fileprivate func write(_ source: UnsafeRawBufferPointer) {
        // Copies the bytes, which are valid during the call.
        unsafe outbound.writeBytes(source)
    }
}

/// The object behind a BIO, which outlives the BIO (`makeBIO`).
private func byteBuffers(of bio: OpaquePointer) -> ByteBufferBIO? {
    unsafe BIO_get_data(bio).map { unsafe Unmanaged<ByteBufferBIO>.fromOpaque($0).takeUnretainedValue() }
}

// MARK: BIO callbacks

private func byteBufferBIORead(_ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ count: CInt) -> CInt {
    // `target` has space for `count` bytes, valid during the call.
    guard let bio = unsafe bio, let target = unsafe target, count > 0 else { return 0 }
    unsafe nn_BIO_clear_retry_flags(bio)
    guard let buffers = unsafe byteBuffers(of: bio) else { return -1 }
    let copied = unsafe buffers.read(into: UnsafeMutableRawBufferPointer(start: target, count: Int(count)))
    guard copied > 0 else {
        unsafe nn_BIO_set_retry_read(bio)
        return -1
    }
    return CInt(copied)
}

private func byteBufferBIOWrite(_ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ count: CInt) -> CInt {
    // `source` has `count` bytes, valid during the call.
    guard let bio = unsafe bio, let source = unsafe source, count > 0 else { return 0 }
    unsafe nn_BIO_clear_retry_flags(bio)
    guard let buffers = unsafe byteBuffers(of: bio) else { return -1 }
    unsafe buffers.write(UnsafeRawBufferPointer(start: source, count: Int(count)))
    return count
}

private func byteBufferBIOControl(
    _ bio: OpaquePointer?, _ command: CInt, _ number: CLong, _ pointer: UnsafeMutableRawPointer?
) -> CLong {
    // Flushing succeeds because writes are not buffered elsewhere; no other control is supported.
    command == BIO_CTRL_FLUSH ? 1 : 0
}
