/// Errors of certificates, keys and connections. The description of a file error names the file and the remedy.
package enum TLSError: Error, Equatable, Sendable {
    /// What a PEM file is read for.
    package enum Content: String, Sendable {
        /// A chain that starts with the server's certificate.
        case certificate
        /// The server's private key.
        case privateKey = "private key"
        /// Authorities that sign the certificates of peers.
        case authorities = "certificate authority"
    }

    // MARK: Files

    /// The file does not exist.
    case noSuchFile(String, Content)
    /// The process has no permission to read the file.
    case noPermission(String, Content)
    /// The file exists, but reading it failed.
    case unreadable(file: String, reason: String)
    /// The file has no PEM block of the expected kind.
    case notPEM(file: String, expected: Content)
    /// The file has a PEM block of the expected kind, but its content is invalid.
    case malformed(file: String, content: Content, reason: OpenSSLErrorStack)
    /// The private key is encrypted with a passphrase, which a server cannot enter when it starts.
    case encryptedKey(file: String)
    /// The private key does not belong to the first certificate of the certificate file.
    case keyMismatch(certificateFile: String, keyFile: String)
    /// The validity period of the certificate is over; `since` is in UTC.
    case expired(file: String, since: String)
    /// The validity period of the certificate has not begun; `from` is in UTC.
    case notYetValid(file: String, from: String)
    /// OpenSSL rejected the certificate or key, for example because the key is too short.
    case unusable(file: String, reason: OpenSSLErrorStack)
    /// A file or directory could not be written.
    case cannotWrite(file: String, reason: String)
    /// The text is not a host name or address that a certificate can contain.
    case invalidName(String)
    /// The name of an ALPN protocol is not 1 to 255 bytes long.
    case invalidApplicationProtocol(String)

    // MARK: Connections

    /// The handshake failed: no common version or suite, a missing or invalid client certificate, a fatal alert.
    case handshakeFailed(OpenSSLErrorStack)
    /// The server's certificate is not valid for the expected name, or no trusted authority issued it.
    case untrustedCertificate(String)
    /// The handshake was not complete within its timeout.
    case handshakeTimeout
    /// The peer closed the connection during the handshake.
    case handshakeInterrupted
    /// The peer sent plaintext instead of a TLS handshake.
    case plaintext
    /// The peer closed the connection without `close_notify`: the data may be incomplete.
    case truncated
    /// A record was invalid, or the peer sent a fatal alert.
    case protocolViolation(OpenSSLErrorStack)
    /// The peer requests protocol responses (key updates, for example) without reading them.
    case controlFlood

    /// An OpenSSL call failed independently of its input, for example because memory is exhausted.
    case library(operation: String, OpenSSLErrorStack)
}

extension TLSError: CustomStringConvertible {
    /// One sentence for log lines and start errors.
    package var description: String {
        switch self {
        case .noSuchFile(let file, let content): "The \(content.rawValue) file '\(file)' does not exist"
        case .noPermission(let file, let content):
            "The \(content.rawValue) file '\(file)' cannot be read: permission denied; let this user read it"
        case .unreadable(let file, let reason): "The file '\(file)' cannot be read: \(reason)"
        case .notPEM(let file, let content): "The file '\(file)' has no \(content.rawValue) in PEM format"
        case .malformed(let file, let content, let reason):
            "The \(content.rawValue) in '\(file)' is invalid: \(reason)"
        case .encryptedKey(let file):
            "The private key in '\(file)' is encrypted with a passphrase; provide a key without a passphrase"
        case .keyMismatch(let certificate, let key):
            "The private key in '\(key)' does not belong to the first certificate in '\(certificate)'"
        case .expired(let file, let since): "The certificate in '\(file)' expired at \(since); renew it"
        case .notYetValid(let file, let from):
            "The certificate in '\(file)' is not valid before \(from); check the system's clock"
        case .unusable(let file, let reason): "OpenSSL rejects the content of '\(file)': \(reason)"
        case .cannotWrite(let file, let reason): "'\(file)' cannot be written: \(reason)"
        case .invalidName(let name): "'\(name)' is not a host name or IP address that a certificate can contain"
        case .invalidApplicationProtocol(let name): "'\(name)' is not an ALPN protocol name of 1 to 255 bytes"
        case .handshakeFailed(let reason): "The TLS handshake failed: \(reason)"
        case .untrustedCertificate(let reason): "The peer's certificate is not trusted: \(reason)"
        case .handshakeTimeout: "The TLS handshake was not complete within its timeout"
        case .handshakeInterrupted: "The peer closed the connection during the TLS handshake"
        case .plaintext: "The peer sent a plaintext request to the TLS port"
        case .truncated: "The peer closed the connection without a TLS close_notify"
        case .protocolViolation(let reason): "The TLS connection failed: \(reason)"
        case .controlFlood: "The peer requests TLS control messages without reading them"
        case .library(let operation, let reason): "OpenSSL failed to \(operation): \(reason)"
        }
    }
}
