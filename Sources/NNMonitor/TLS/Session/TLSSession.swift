import COpenSSL
package import NIOCore

/// One TLS connection: the sole owner of an `SSL *`, which reads and writes through `ByteBufferBIO`.
///
/// A session is independent of channels: `receive` takes ciphertext from the network, `takeCiphertext` returns
/// ciphertext to send. It is not thread-safe; all calls are on one event loop.
///
/// Memory: This object owns `ssl`, which is not null, and frees it in `deinit`; OpenSSL does not keep the pointers
/// passed in calls. The BIO points to `buffers`, and callbacks point into `context`; both are released after `ssl` is
/// freed.
@safe package final class TLSSession {
    /// The result of a handshake step.
    package enum HandshakeProgress: Sendable {
        /// The handshake is complete.
        case complete
        /// The peer must send more.
        case wantsInput
    }

    /// The result of a read.
    package enum ReadOutcome: Sendable {
        /// All ciphertext has been decrypted, except for an incomplete record; the peer may send more.
        case wantsInput
        /// The peer has sent `close_notify`, so no more data follows.
        case closed
    }

    /// The maximum plaintext of one record, in bytes (RFC 8446 section 5.1).
    package static let recordSize = 16384

    private let ssl: OpaquePointer
    private let buffers: ByteBufferBIO
    /// Retained because OpenSSL's callbacks have unretained pointers to its properties.
    private let context: AnyObject

    /// Starts the server side of a connection.
    ///
    /// - Throws: `.library` if memory is exhausted.
    package convenience init(context: TLSContext) throws(TLSError) {
        OpenSSLErrorStack.clear()
        guard let ssl = unsafe SSL_new(context.pointer) else {
            throw .library(operation: "make a TLS session", .take())
        }
        unsafe SSL_set_accept_state(ssl)
        unsafe try self.init(adopting: ssl, keeping: context)
    }

    /// Starts the client side of a connection. The handshake fails unless a trusted authority issued the server's
    /// certificate for the expected name.
    ///
    /// - Parameters:
    ///   - context: the trusted authorities and the policy.
    ///   - name: the name that the server's certificate must have.
    /// - Throws: `.library` if memory is exhausted.
    package convenience init(context: TLSClientContext, expecting name: TLSPeerName) throws(TLSError) {
        OpenSSLErrorStack.clear()
        guard let ssl = unsafe SSL_new(context.pointer) else {
            throw .library(operation: "make a TLS session", .take())
        }
        unsafe SSL_set_connect_state(ssl)
        // `name` configures the pointer, which this initializer owns until it passes it on.
        guard unsafe name.install(in: ssl) else {
            unsafe SSL_free(ssl)
            throw .library(operation: "set the expected name", .take())
        }
        unsafe try self.init(adopting: ssl, keeping: context)
    }

    /// Takes ownership of an `SSL *` whose role (client or server) is set.
    ///
    /// - Parameters:
    ///   - ssl: freed with the session, or by this initializer if it throws.
    ///   - context: retained until `ssl` has been freed.
    /// - Throws: `.library` if memory is exhausted.
    package init(adopting ssl: OpaquePointer, keeping context: AnyObject) throws(TLSError) {
        buffers = ByteBufferBIO()
        self.context = context
        unsafe self.ssl = unsafe ssl
        guard let bio = unsafe buffers.makeBIO() else {
            // All properties are set, so `deinit` frees `ssl`.
            throw .library(operation: "make a BIO", .take())
        }
        // With one BIO for both directions, SSL_set_bio takes over one reference: ours.
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    deinit {
        // Also frees the BIO, while `buffers` is still alive.
        unsafe SSL_free(ssl)
    }

    // MARK: Ciphertext

    /// Appends ciphertext from the network; `handshake` and `read` process it.
    package func receive(_ ciphertext: ByteBuffer) {
        buffers.receive(ciphertext)
    }

    /// Bytes of ciphertext from the network that OpenSSL has not read yet.
    package var pendingCiphertext: Int { buffers.inbound.readableBytes }

    /// Removes and returns the ciphertext to send; `nil` if there is none.
    package func takeCiphertext() -> ByteBuffer? {
        buffers.takeOutbound()
    }

    // MARK: Handshake and records

    /// Continues the handshake with the ciphertext received so far.
    ///
    /// - Returns: whether the handshake is complete. `takeCiphertext` returns what must be sent, also after an error.
    /// - Throws: `.handshakeFailed`; on the client side also `.untrustedCertificate`.
    package func handshake() throws(TLSError) -> HandshakeProgress {
        OpenSSLErrorStack.clear()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { return .complete }
        if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .wantsInput }
        let verification = unsafe SSL_get_verify_result(ssl)
        if unsafe SSL_is_server(ssl) == 0, verification != CLong(X509_V_OK) {
            OpenSSLErrorStack.clear()
            // The text is static.
            throw .untrustedCertificate(unsafe String(cString: X509_verify_cert_error_string(verification)))
        }
        throw .handshakeFailed(.take())
    }

    /// Decrypts the ciphertext received so far.
    ///
    /// - Parameter plaintext: the plaintext is appended to it, also if this method throws after some records.
    /// - Returns: whether the peer may send more.
    /// - Throws: `.protocolViolation` for invalid records and fatal alerts.
    package func read(into plaintext: inout ByteBuffer) throws(TLSError) -> ReadOutcome {
        while true {
            OpenSSLErrorStack.clear()
            var result: CInt = 0
            var count = 0
            // Space for all pending plaintext; OpenSSL keeps what does not fit for the next iteration.
            let room = unsafe max(512, buffers.inbound.readableBytes, Int(SSL_pending(ssl)))
            unsafe plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                unsafe result = SSL_read_ex(ssl, target.baseAddress, target.count, &count)
                return result == 1 ? count : 0
            }
            if result == 1 {
                // Nothing is left to decrypt: save the call of SSL_read_ex that would report it.
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

    /// Encrypts bytes into as many records as necessary.
    ///
    /// - Throws: `.protocolViolation` if OpenSSL cannot encrypt, for example after a fatal alert.
    package func write(_ plaintext: ByteBuffer) throws(TLSError) {
        guard plaintext.readableBytes > 0 else { return }
        OpenSSLErrorStack.clear()
        var written = 0
        // The BIO accepts all bytes, so the write is always complete.
        let result = unsafe plaintext.withUnsafeReadableBytes { source in
            unsafe SSL_write_ex(ssl, source.baseAddress, source.count, &written)
        }
        guard result == 1, written == plaintext.readableBytes else { throw .protocolViolation(.take()) }
    }

    /// Reserves space for the records of `byteCount` bytes of plaintext.
    package func reserve(plaintext byteCount: Int, allocator: ByteBufferAllocator) {
        let records = (byteCount + Self.recordSize - 1) / Self.recordSize
        // Each record adds a header (5 bytes), an explicit nonce (up to 8), a tag (16) and an inner type (1).
        buffers.reserve(byteCount + records * 30, allocator: allocator)
    }

    /// Writes `close_notify`, once. The session can still read but no longer write.
    package func closeOutput() {
        OpenSSLErrorStack.clear()
        guard unsafe SSL_is_init_finished(ssl) == 1 else { return }
        // The result shows whether the peer's `close_notify` was received; an error means that the connection failed.
        unsafe _ = SSL_shutdown(ssl)
        OpenSSLErrorStack.clear()
    }

    /// The protocol negotiated by ALPN; `nil` if there is none.
    package var negotiatedProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: CUnsignedInt = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        guard let start = unsafe name, length > 0 else { return nil }
        // `ssl` owns the name, which is copied here.
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(length)), as: UTF8.self)
    }
}
