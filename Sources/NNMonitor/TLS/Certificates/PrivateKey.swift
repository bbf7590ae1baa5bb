import COpenSSL

/// A private key: the owner of an `EVP_PKEY *`.
///
/// Memory: This object owns `pointer`, which is not null, and frees it in `deinit`.
@safe final class PrivateKey {
    let pointer: OpaquePointer

    /// Takes ownership of the caller's reference.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// The key as PKCS #8 in PEM format, without a passphrase; `nil` if memory is exhausted.
    var pem: SecretBytes? {
        guard let output = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(output) }
        guard unsafe PEM_write_bio_PrivateKey(output, pointer, nil, nil, 0, nil, nil) == 1 else { return nil }
        return unsafe readAll(from: output)
    }
}
