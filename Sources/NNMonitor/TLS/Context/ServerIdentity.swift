import COpenSSL

/// The server's certificate chain and private key, and the authorities for client certificates: read and validated.
struct ServerIdentity {
    private let configuration: TLSConfiguration
    private let leaf: X509Certificate
    private let chain: ArraySlice<X509Certificate>
    private let key: PrivateKey
    private let clientAuthorities: [X509Certificate]

    /// Reads and validates the files of a configuration.
    ///
    /// - Parameters:
    ///   - configuration: names the files.
    ///   - now: Unix time in seconds, for the validity of the certificates.
    /// - Throws: a case of `TLSError` under "Files", or `.library`.
    init(configuration: TLSConfiguration, now: Int) throws(TLSError) {
        let file = configuration.certificateFile
        let certificates = try PEMFile.certificates(file, as: .certificate)
        key = try PEMFile.privateKey(configuration.keyFile)
        leaf = certificates[0]
        chain = certificates.dropFirst()
        guard leaf.belongs(to: key) else {
            throw .keyMismatch(certificateFile: file, keyFile: configuration.keyFile)
        }
        for certificate in certificates {
            if certificate.isExpired(at: now) { throw .expired(file: file, since: certificate.notAfter) }
            if certificate.isNotYetValid(at: now) { throw .notYetValid(file: file, from: certificate.notBefore) }
        }
        if let authorities = configuration.clientCAFile {
            clientAuthorities = try PEMFile.certificates(authorities, as: .authorities)
        } else {
            clientAuthorities = []
        }
        self.configuration = configuration
    }

    /// What the start banner shows of the leaf certificate.
    var facts: TLSContext.CertificateFacts {
        TLSContext.CertificateFacts(
            notAfter: leaf.notAfter, sha256Fingerprint: SHA256Digest.fingerprint(leaf.sha256))
    }

    /// Installs chain, key and authorities in a new context, before any connection uses it.
    func install(in context: OpaquePointer) throws(TLSError) {
        // OpenSSL takes its own references to certificates and key.
        guard unsafe SSL_CTX_use_certificate(context, leaf.pointer) == 1 else {
            throw .unusable(file: configuration.certificateFile, reason: .take())
        }
        for certificate in chain {
            guard unsafe nn_SSL_CTX_add1_chain_cert(context, certificate.pointer) == 1 else {
                throw .unusable(file: configuration.certificateFile, reason: .take())
            }
        }
        guard unsafe SSL_CTX_use_PrivateKey(context, key.pointer) == 1 else {
            throw .unusable(file: configuration.keyFile, reason: .take())
        }
        if let file = configuration.clientCAFile { unsafe try installAuthorities(from: file, in: context) }
    }

    private func installAuthorities(from file: String, in context: OpaquePointer) throws(TLSError) {
        // The context owns the store. The store takes its own references; the list of client CAs copies the names.
        let store = unsafe SSL_CTX_get_cert_store(context)
        for authority in clientAuthorities {
            // The store verifies client certificates; the list of client CAs is only sent to the client as a hint.
            guard unsafe X509_STORE_add_cert(store, authority.pointer) == 1,
                unsafe SSL_CTX_add_client_CA(context, authority.pointer) == 1
            else { throw .unusable(file: file, reason: .take()) }
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
}
