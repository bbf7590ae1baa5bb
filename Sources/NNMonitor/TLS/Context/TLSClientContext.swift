import COpenSSL

/// A TLS context (`SSL_CTX`) for connections to servers: the trusted authorities and the protocol policy.
///
/// Memory: This object owns `pointer`, which is not null; `deinit` frees it, or `init` if it fails. Each session holds
/// its own reference to the `SSL_CTX`, and retains this object.
@safe package final class TLSClientContext: Sendable {
    // Not modified after `init`. OpenSSL counts references atomically and locks what connections change in the context
    // (the lookup of authorities in a folder, statistics), so threads may share it.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Reads the authorities. Blocks on disk reads: do not call it on an event loop.
    ///
    /// - Parameter authorities: path of a PEM file with the only authorities to trust; `nil`: those of the system,
    ///   which OpenSSL finds (SSL_CTX_set_default_verify_paths(3)).
    /// - Throws: a case of `TLSError` under "Files", or `.library`.
    package init(trusting authorities: String? = nil) throws(TLSError) {
        let certificates: [X509Certificate]? =
            if let authorities { try PEMFile.certificates(authorities, as: .authorities) } else { nil }
        let protocols = try ApplicationProtocols(["http/1.1"])
        OpenSSLErrorStack.clear()
        guard let pointer = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw .library(operation: "make a TLS context", .take())
        }
        do throws(TLSError) {
            unsafe try TLSPolicy.applyToClient(pointer)
            unsafe try Self.trust(certificates, from: authorities ?? "", in: pointer)
            // Copies the list; unlike other functions, it returns 0 on success.
            guard
                unsafe SSL_CTX_set_alpn_protos(pointer, protocols.wireForm, CUnsignedInt(protocols.wireForm.count)) == 0
            else { throw .library(operation: "set the application protocol", .take()) }
        } catch {
            unsafe SSL_CTX_free(pointer)
            throw error
        }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }

    /// Makes every handshake verify the server's certificate.
    private static func trust(
        _ certificates: [X509Certificate]?, from file: String, in context: OpaquePointer
    ) throws(TLSError) {
        if let certificates {
            // The context owns the store, which takes its own references.
            let store = unsafe SSL_CTX_get_cert_store(context)
            for certificate in certificates {
                guard unsafe X509_STORE_add_cert(store, certificate.pointer) == 1 else {
                    throw .unusable(file: file, reason: .take())
                }
            }
        } else if unsafe SSL_CTX_set_default_verify_paths(context) != 1 {
            throw .library(operation: "find the system's certificate authorities", .take())
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    }
}
