import COpenSSL

/// The protocol that the server agrees to: TLS 1.2 and 1.3, forward secrecy and authenticated encryption only.
enum TLSPolicy {
    /// TLS 1.2 suites: ephemeral ECDH with AES-GCM or ChaCha20-Poly1305, nothing else (RFC 9325 §4.2).
    static let suites = "ECDHE+AESGCM:ECDHE+CHACHA20"

    /// TLS 1.3 suites; all of them are forward-secret AEAD.
    static let suites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

    /// Curves for the key exchange, in order of preference.
    static let groups = "X25519:P-256:P-384"

    /// Applies the policy to a context that nobody uses yet.
    static func apply(to context: OpaquePointer, configuration: TLSConfiguration) throws(TLSError) {
        let options =
            nn_SSL_OP_NO_RENEGOTIATION() | nn_SSL_OP_NO_COMPRESSION() | nn_SSL_OP_CIPHER_SERVER_PREFERENCE()
            // A client that puts ChaCha20 first has no AES in hardware: it gets its wish.
            | nn_SSL_OP_PRIORITIZE_CHACHA()
        // Here and below: the context is the caller's, and the calls copy what they are lent.
        unsafe SSL_CTX_set_options(context, options)
        // Buffers of idle connections are given back; sessions live in tickets at the clients, not in our memory.
        unsafe _ = nn_SSL_CTX_set_mode(context, CLong(SSL_MODE_RELEASE_BUFFERS))
        unsafe _ = nn_SSL_CTX_set_session_cache_mode(context, CLong(SSL_SESS_CACHE_OFF))
        unsafe _ = SSL_CTX_set_timeout(context, CLong(configuration.ticketLifetime))
        unsafe SSL_CTX_set_quiet_shutdown(context, 0)
        if configuration.clientCAFile != nil { unsafe refuseResumption(in: context) }
        let name = Array("NNMonitor".utf8)
        let accepted =
            unsafe nn_SSL_CTX_set_min_proto_version(context, configuration.minimumVersion.rawValue) == 1
            && nn_SSL_CTX_set_max_proto_version(context, TLSVersion.v1_3.rawValue) == 1
            && SSL_CTX_set_cipher_list(context, suites) == 1
            && SSL_CTX_set_ciphersuites(context, suites13) == 1
            && nn_SSL_CTX_set1_groups_list(context, groups) == 1
            // The kind of our sessions: those of another kind are not resumed.
            && SSL_CTX_set_session_id_context(context, name, CUnsignedInt(name.count)) == 1
        guard accepted else { throw .library(operation: "set the TLS policy", .take()) }
    }

    /// Makes every connection show its client certificate. A ticket would stand in for it, and its successors for as
    /// long as the client comes back, also when the certificate's time is over (RFC 8446 §4.6.1 warns of that).
    private static func refuseResumption(in context: OpaquePointer) {
        // The context is the caller's, who owns it; nothing is lent.
        unsafe SSL_CTX_set_options(context, nn_SSL_OP_NO_TICKET())
        unsafe _ = SSL_CTX_set_num_tickets(context, 0)
    }
}
