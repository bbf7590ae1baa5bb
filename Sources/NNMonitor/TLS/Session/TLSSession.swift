import COpenSSL
package import NIOCore

/// One TLS connection: the only owner of an `SSL *`, which reads and writes through `ByteBufferBIO`.
///
/// It knows nothing of channels: ciphertext goes in by `receive`, and what is to be sent is taken by
/// `takeCiphertext`. Not thread-safe; a session lives on one event loop.
///
/// Memory: `ssl` is owned, never null, and freed in `deinit`; what calls lend it is not used after them. Its BIO points to
/// `buffers`, the callbacks of its context to what `context` holds: both are kept until after it is freed.
@safe package final class TLSSession {
    /// How far a step of the handshake came.
    package enum HandshakeProgress: Sendable { case complete, wantsInput }

    /// What a read found.
    package enum ReadOutcome: Sendable {
        /// All the ciphertext is used up; the connection is open.
        case wantsInput
        /// The peer sent `close_notify`: it sends nothing more.
        case closed
    }

    /// The most plaintext that fits in one record, in bytes (RFC 8446 §5.1).
    package static let recordSize = 16384

    private let ssl: OpaquePointer
    private let buffers: ByteBufferBIO
    /// The context holds what OpenSSL's callbacks point to.
    private let context: AnyObject

    /// Begins the server's side of a connection.
    package convenience init(context: TLSContext) throws(TLSError) {
        OpenSSLErrorStack.clear()
        guard let ssl = unsafe SSL_new(context.pointer) else {
            throw .library(operation: "make a TLS session", .take())
        }
        unsafe SSL_set_accept_state(ssl)
        unsafe try self.init(adopting: ssl, keeping: context)
    }

    /// Takes over an `SSL *` whose role is set, such as a client's. It is freed in any case. `context` is kept
    /// alive as long as the session.
    package init(adopting ssl: OpaquePointer, keeping context: AnyObject) throws(TLSError) {
        buffers = ByteBufferBIO()
        self.context = context
        unsafe self.ssl = unsafe ssl
        guard let bio = unsafe buffers.makeBIO() else {
            // `deinit` frees `ssl`, for all properties are set.
            throw .library(operation: "make a BIO", .take())
        }
        // The same BIO for both directions takes one reference: ours goes over to `ssl`.
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    deinit {
        // Frees the BIO, too, while `buffers` is still there.
        unsafe SSL_free(ssl)
    }

    // MARK: Ciphertext

    /// Hands over what came from the network.
    package func receive(_ ciphertext: ByteBuffer) {
        buffers.receive(ciphertext)
    }

    /// How many bytes from the network have not been looked at.
    package var pendingCiphertext: Int { buffers.inbound.readableBytes }

    /// What is to be sent now; nil when there is nothing.
    package func takeCiphertext() -> ByteBuffer? {
        buffers.takeOutbound()
    }

    // MARK: Steps

    /// Goes on with the handshake as far as the input reaches. What it has to send is there even when it throws.
    package func handshake() throws(TLSError) -> HandshakeProgress {
        OpenSSLErrorStack.clear()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { return .complete }
        if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .wantsInput }
        throw .handshakeFailed(.take())
    }

    /// Decrypts all the ciphertext that is there and appends the plaintext to a buffer; also when it throws.
    package func read(into plaintext: inout ByteBuffer) throws(TLSError) -> ReadOutcome {
        while true {
            OpenSSLErrorStack.clear()
            var result: CInt = 0
            var count = 0
            // Enough for what is known to wait; what doesn't fit stays in OpenSSL for the next round.
            let room = unsafe max(512, buffers.inbound.readableBytes, Int(SSL_pending(ssl)))
            unsafe plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                unsafe result = SSL_read_ex(ssl, target.baseAddress, target.count, &count)
                return result == 1 ? count : 0
            }
            if result == 1 {
                // With nothing left to look at, asking once more would only tell that.
                if unsafe buffers.inbound.readableBytes == 0 && SSL_has_pending(ssl) == 0 { return .wantsInput }
                continue
            }
            switch unsafe SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ: return .wantsInput
            case SSL_ERROR_ZERO_RETURN: return .closed
            default: throw .protocolViolation(.take())
            }
        }
    }

    /// Encrypts bytes into as many records as they need.
    package func write(_ plaintext: ByteBuffer) throws(TLSError) {
        guard plaintext.readableBytes > 0 else { return }
        OpenSSLErrorStack.clear()
        var written = 0
        // The BIO takes everything, so a write is never partial and never waits.
        let result = unsafe plaintext.withUnsafeReadableBytes { source in
            unsafe SSL_write_ex(ssl, source.baseAddress, source.count, &written)
        }
        guard result == 1, written == plaintext.readableBytes else { throw .protocolViolation(.take()) }
    }

    /// Makes room for the records of this much plaintext.
    package func reserve(plaintext byteCount: Int, allocator: ByteBufferAllocator) {
        let records = (byteCount + Self.recordSize - 1) / Self.recordSize
        // 5 bytes of header, up to 8 of explicit nonce, 16 of tag, 1 of inner type.
        buffers.reserve(byteCount + records * 30, allocator: allocator)
    }

    /// Writes `close_notify`, once. Reading goes on to work, writing does not.
    package func closeOutput() {
        OpenSSLErrorStack.clear()
        guard unsafe SSL_is_init_finished(ssl) == 1 else { return }
        // 0 and 1 tell whether the peer's was seen; an error means that the connection is broken already.
        unsafe _ = SSL_shutdown(ssl)
        OpenSSLErrorStack.clear()
    }

    // MARK: Facts

    /// The protocol that ALPN agreed on.
    package var negotiatedProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: CUnsignedInt = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        guard let start = unsafe name, length > 0 else { return nil }
        // The name belongs to `ssl` and is copied before anything else happens to it.
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(length)), as: UTF8.self)
    }

    /// The version in use; nil before the handshake has settled it.
    package var version: TLSVersion? {
        unsafe TLSVersion(rawValue: SSL_version(ssl))
    }

    /// OpenSSL's name of the suite in use.
    package var cipherName: String? {
        unsafe SSL_get_current_cipher(ssl).flatMap { unsafe SSL_CIPHER_get_name($0) }.map { unsafe String(cString: $0) }
    }

    /// True when a session ticket stood in for certificates and signatures.
    package var isResumed: Bool {
        unsafe SSL_session_reused(ssl) == 1
    }
}
