import COpenSSL

/// PEM files (RFC 7468), read with errors that name the file and what is wrong with it.
enum PEMFile {
    /// The certificates of a file in its order, at least one. Other PEM blocks in it are passed over.
    static func certificates(_ file: String, as content: TLSError.Content) throws(TLSError) -> [X509Certificate] {
        let bytes = try read(file, content)
        OpenSSLErrorStack.clear()
        // The BIO is ours until the end; each certificate that is read from it is owned by its object at once.
        guard let input = unsafe openInput(bytes) else {
            throw .library(operation: "open '\(file)'", .take())
        }
        defer { unsafe BIO_free(input) }
        var certificates: [X509Certificate] = []
        while let pointer = unsafe PEM_read_bio_X509(input, nil, refusePassphrase, nil) {
            unsafe certificates.append(X509Certificate(owning: pointer))
        }
        let errors = OpenSSLErrorStack.take()
        // Past the last block OpenSSL says that no further start line follows. All else is a broken block.
        guard errors.contains(library: ERR_LIB_PEM, reason: PEM_R_NO_START_LINE) else {
            throw .malformed(file: file, content: content, reason: errors)
        }
        guard !certificates.isEmpty else { throw .notPEM(file: file, expected: content) }
        return certificates
    }

    /// The private key of a file.
    static func privateKey(_ file: String) throws(TLSError) -> PrivateKey {
        let bytes = try read(file, .privateKey)
        guard bytes.contains("PRIVATE KEY-----") else { throw .notPEM(file: file, expected: .privateKey) }
        OpenSSLErrorStack.clear()
        // The BIO is ours until the end. So is the key that is read from it, until its object owns it.
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
            case .other(let reason): throw .unreadable(file: file, reason: reason)
            }
        }
    }

    /// A memory BIO with its own copy of the bytes, so that it borrows nothing from Swift; it wipes them when it is
    /// freed, which is the caller's to do.
    private static func openInput(_ bytes: SecretBytes) -> OpaquePointer? {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
        // The bytes are copied during the call. A file is small: its size fits.
        let written = unsafe bytes.withUnsafeBytes { unsafe BIO_write(bio, $0.baseAddress, CInt($0.count)) }
        guard Int(written) == bytes.count || bytes.count == 0 else {
            unsafe BIO_free(bio)
            return nil
        }
        return unsafe bio
    }
}

/// Answers OpenSSL's question for a passphrase with none, so that it never asks at the terminal.
private func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: CInt, _ writing: CInt, _ context: UnsafeMutableRawPointer?
) -> CInt {
    -1
}
