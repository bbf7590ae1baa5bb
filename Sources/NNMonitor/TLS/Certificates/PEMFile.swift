import COpenSSL

/// Reads PEM files (RFC 7468).
enum PEMFile {
    /// Reads the certificates of a file, in its order and at least one; skips other PEM blocks.
    static func certificates(_ file: String, as content: TLSError.Content) throws(TLSError) -> [X509Certificate] {
        let bytes = try read(file, content)
        OpenSSLErrorStack.clear()
        // The BIO is freed here; each certificate read from it is owned by an object.
        guard let input = unsafe openInput(bytes) else {
            throw .library(operation: "open '\(file)'", .take())
        }
        defer { unsafe BIO_free(input) }
        var certificates: [X509Certificate] = []
        while let pointer = unsafe PEM_read_bio_X509(input, nil, refusePassphrase, nil) {
            unsafe certificates.append(X509Certificate(owning: pointer))
        }
        let errors = OpenSSLErrorStack.take()
        // At the end of the file OpenSSL reports that there is no further start line; other errors are invalid blocks.
        guard errors.contains(library: ERR_LIB_PEM, reason: PEM_R_NO_START_LINE) else {
            throw .malformed(file: file, content: content, reason: errors)
        }
        guard !certificates.isEmpty else { throw .notPEM(file: file, expected: content) }
        return certificates
    }

    /// Reads the private key of a file.
    static func privateKey(_ file: String) throws(TLSError) -> PrivateKey {
        let bytes = try read(file, .privateKey)
        guard bytes.contains("PRIVATE KEY-----") else { throw .notPEM(file: file, expected: .privateKey) }
        OpenSSLErrorStack.clear()
        // The BIO is freed here; the key read from it is owned by an object.
        guard let input = unsafe openInput(bytes) else {
            throw .library(operation: "open '\(file)'", .take())
        }
        defer { unsafe BIO_free(input) }
        guard let pointer = unsafe PEM_read_bio_PrivateKey(input, nil, refusePassphrase, nil) else {
            let errors = OpenSSLErrorStack.take()
            if bytes.contains("ENCRYPTED") { throw .encryptedKey(file: file) }
            throw .malformed(file: file, content: .privateKey, reason: errors)
        }
        OpenSSLErrorStack.clear()
        return unsafe PrivateKey(owning: pointer)
    }

    private static func read(_ file: String, _ content: TLSError.Content) throws(TLSError) -> SecretBytes {
        do {
            return try FileBytes.read(file)
        } catch {
            switch error {
            case .noSuchFile: throw .noSuchFile(file, content)
            case .noPermission: throw .noPermission(file, content)
            case .notRegular, .other: throw .unreadable(file: file, reason: error.reason)
            }
        }
    }

    /// Makes a memory BIO with a copy of the bytes, which OpenSSL overwrites when the caller frees the BIO.
    private static func openInput(_ bytes: SecretBytes) -> OpaquePointer? {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
        // OpenSSL copies the bytes. `FileBytes.maximumSize` fits in a CInt.
        let written = unsafe bytes.withUnsafeBytes { unsafe BIO_write(bio, $0.baseAddress, CInt($0.count)) }
        guard Int(written) == bytes.count || bytes.count == 0 else {
            unsafe BIO_free(bio)
            return nil
        }
        return unsafe bio
    }
}

/// A passphrase callback that fails. Without it OpenSSL would prompt on the terminal.
private func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: CInt, _ writing: CInt, _ context: UnsafeMutableRawPointer?
) -> CInt {
    -1
}
