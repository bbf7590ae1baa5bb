import COpenSSL

/// The server's certificate chain and key, and the authorities of its clients, read and checked against each other.
struct ServerIdentity {
    private let configuration: TLSConfiguration
    private let leaf: X509Certificate
    private let chain: ArraySlice<X509Certificate>
    private let key: PrivateKey
    private let clientAuthorities: [X509Certificate]

    /// Reads the files of a configuration. `now` is in Unix seconds.
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

    var facts: TLSContext.CertificateFacts {
        TLSContext.CertificateFacts(
            subject: leaf.subject, notBefore: leaf.notBefore, notAfter: leaf.notAfter,
            sha256Fingerprint: SHA256Digest.fingerprint(leaf.sha256))
    }

    /// Gives chain, key and authorities to a context that nobody uses yet. OpenSSL takes references of its own.
    func install(in context: OpaquePointer) throws(TLSError) {
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
        // The store belongs to the context. It takes references of its own, the list of authorities copies their names.
        let store = unsafe SSL_CTX_get_cert_store(context)
        for authority in clientAuthorities {
            // The first call is what counts for verification; the second only tells the client which ones we know.
            guard unsafe X509_STORE_add_cert(store, authority.pointer) == 1,
                unsafe SSL_CTX_add_client_CA(context, authority.pointer) == 1
            else { throw .unusable(file: file, reason: .take()) }
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
}
