import COpenSSL

/// The protocol settings of every TLS context: TLS 1.2 and 1.3, only forward-secret suites with authenticated
/// encryption.
enum TLSPolicy {
    /// TLS 1.2 suites: ephemeral ECDH with AES-GCM or ChaCha20-Poly1305 (RFC 9325 section 4.2).
    static let suites = "ECDHE+AESGCM:ECDHE+CHACHA20"

    /// TLS 1.3 suites; all of them are forward-secret AEAD.
    static let suites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

    /// Curves for the key exchange, in order of preference.
    static let groups = "X25519:P-256:P-384"

    /// Applies the policy to a new server context, before any connection uses it.
    static func apply(to context: OpaquePointer, configuration: TLSConfiguration) throws(TLSError) {
        unsafe try applyCommonPart(to: context, minimumVersion: configuration.minimumVersion)
        // A client without AES in hardware lists ChaCha20 first; honour that order.
        let options = nn_SSL_OP_CIPHER_SERVER_PREFERENCE() | nn_SSL_OP_PRIORITIZE_CHACHA()
        // The caller owns the context; these calls copy their arguments.
        unsafe SSL_CTX_set_options(context, options)
        unsafe _ = SSL_CTX_set_timeout(context, CLong(configuration.ticketLifetime))
        if configuration.clientCAFile != nil { unsafe disableResumption(in: context) }
        let name = Array("NNMonitor".utf8)
        // Sessions with another session ID context are not resumed.
        guard unsafe SSL_CTX_set_session_id_context(context, name, CUnsignedInt(name.count)) == 1 else {
            throw .library(operation: "set the TLS policy", .take())
        }
    }

    /// Applies the policy to a new client context, before any connection uses it.
    static func applyToClient(_ context: OpaquePointer) throws(TLSError) {
        unsafe try applyCommonPart(to: context, minimumVersion: .v1_2)
    }

    private static func applyCommonPart(to context: OpaquePointer, minimumVersion: TLSVersion) throws(TLSError) {
        // The caller owns the context; these calls copy their arguments.
        unsafe SSL_CTX_set_options(context, nn_SSL_OP_NO_RENEGOTIATION() | nn_SSL_OP_NO_COMPRESSION())
        // Free the buffers of idle connections. Keep no sessions in memory: clients hold them in tickets.
        unsafe _ = nn_SSL_CTX_set_mode(context, CLong(SSL_MODE_RELEASE_BUFFERS))
        unsafe _ = nn_SSL_CTX_set_session_cache_mode(context, CLong(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_quiet_shutdown(context, 0)
        let accepted =
            unsafe nn_SSL_CTX_set_min_proto_version(context, minimumVersion.rawValue) == 1
            && nn_SSL_CTX_set_max_proto_version(context, TLSVersion.v1_3.rawValue) == 1
            && SSL_CTX_set_cipher_list(context, suites) == 1
            && SSL_CTX_set_ciphersuites(context, suites13) == 1
            && nn_SSL_CTX_set1_groups_list(context, groups) == 1
        guard accepted else { throw .library(operation: "set the TLS policy", .take()) }
    }

    /// Makes every connection present its client certificate.
    ///
    /// A resumed session does not, and each resumption issues a new ticket, so a client could keep connecting after its
    /// certificate expired (RFC 8446 section 4.6.1).
    private static func disableResumption(in context: OpaquePointer) {
        unsafe SSL_CTX_set_options(context, nn_SSL_OP_NO_TICKET())
        unsafe _ = SSL_CTX_set_num_tickets(context, 0)
    }
}
