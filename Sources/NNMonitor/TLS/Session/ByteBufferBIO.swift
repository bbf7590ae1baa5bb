import COpenSSL
import NIOCore

/// The two ends of an OpenSSL BIO as `ByteBuffer`s: what came from the network waits in one for OpenSSL to read, what
/// OpenSSL writes for the network gathers in the other.
///
/// Bytes are never waited for: an empty inbound buffer tells OpenSSL to try again later. The end of the stream is not
/// told to OpenSSL; the handler knows it first-hand.
///
/// Memory: a BIO points to this object without keeping it, so its owner frees it first (`makeBIO`). What OpenSSL lends the
/// callbacks is valid during the call and not kept.
@safe final class ByteBufferBIO {
    /// Ciphertext that OpenSSL has not taken yet.
    private(set) var inbound = ByteBuffer()

    /// Ciphertext that waits to be sent.
    private(set) var outbound = ByteBuffer()

    /// Hands over ciphertext from the network. Without a rest of earlier input this copies nothing.
    func receive(_ bytes: ByteBuffer) {
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            var bytes = bytes
            inbound.writeBuffer(&bytes)
        }
    }

    /// Makes room for this much ciphertext, so that a batch of records grows the buffer once.
    func reserve(_ byteCount: Int, allocator: ByteBufferAllocator) {
        if outbound.readableBytes == 0 {
            outbound = allocator.buffer(capacity: byteCount)
        } else {
            outbound.reserveCapacity(minimumWritableBytes: byteCount)
        }
    }

    /// What waits to be sent; nil when there is nothing. The bytes are then the caller's.
    func takeOutbound() -> ByteBuffer? {
        guard outbound.readableBytes > 0 else { return nil }
        let bytes = outbound
        outbound = ByteBuffer()
        return bytes
    }

    /// A BIO that reads from and writes to this object. It must not be used after this object is gone: the session
    /// that owns both frees the BIO, with its `SSL`, first.
    func makeBIO() -> OpaquePointer? {
        guard let method = unsafe Self.method, let bio = unsafe BIO_new(method) else { return nil }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    // The table is made once, before its first use, and OpenSSL only reads it: it can be shared by all threads.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = unsafe BIO_meth_new(type, "ByteBuffer") else { return nil }
        unsafe BIO_meth_set_read(method, byteBufferBIORead)
        unsafe BIO_meth_set_write(method, byteBufferBIOWrite)
        unsafe BIO_meth_set_ctrl(method, byteBufferBIOControl)
        return unsafe method
    }()

    fileprivate func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        // Both are valid until the closure ends, and no more is copied than either has.
        let count = unsafe inbound.readWithUnsafeReadableBytes { source in
            let count = min(source.count, target.count)
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
            return count
        }
        // An idle connection keeps no storage.
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        return count
    }

    fileprivate func write(_ source: UnsafeRawBufferPointer) {
        // The bytes are copied.
        unsafe outbound.writeBytes(source)
    }
}

/// The object behind a BIO. It outlives the call, as `makeBIO()` demands.
private func byteBuffers(of bio: OpaquePointer) -> ByteBufferBIO? {
    unsafe BIO_get_data(bio).map { unsafe Unmanaged<ByteBufferBIO>.fromOpaque($0).takeUnretainedValue() }
}

// The callbacks of the BIO.

private func byteBufferBIORead(_ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ count: CInt) -> CInt {
    // OpenSSL lends room for as many bytes as it says, during the call.
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
    // OpenSSL lends as many bytes as it says, during the call.
    guard let bio = unsafe bio, let source = unsafe source, count > 0 else { return 0 }
    unsafe nn_BIO_clear_retry_flags(bio)
    guard let buffers = unsafe byteBuffers(of: bio) else { return -1 }
    unsafe buffers.write(UnsafeRawBufferPointer(start: source, count: Int(count)))
    return count
}

private func byteBufferBIOControl(
    _ bio: OpaquePointer?, _ command: CInt, _ number: CLong, _ pointer: UnsafeMutableRawPointer?
) -> CLong {
    // A flush has nothing to do and succeeds; no other control means anything here.
    command == BIO_CTRL_FLUSH ? 1 : 0
}
