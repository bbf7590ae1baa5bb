/// What can go wrong with certificates, keys and connections. The text of a file error names the file and what to mend.
package enum TLSError: Error, Equatable, Sendable {
    /// What a PEM file is read for.
    package enum Content: String, Sendable {
        case certificate
        case privateKey = "private key"
        case authorities = "certificate authority"
    }

    // Files

    /// The file does not exist.
    case noSuchFile(String, Content)
    /// The process may not read the file.
    case noPermission(String, Content)
    /// The file is there, but reading it failed.
    case unreadable(file: String, reason: String)
    /// The file has no PEM block of the kind that is looked for.
    case notPEM(file: String, expected: Content)
    /// The file has the right PEM block, but its content is broken.
    case malformed(file: String, content: Content, reason: OpenSSLErrorStack)
    /// The private key is protected by a passphrase, which a server that starts by itself cannot be asked for.
    case encryptedKey(file: String)
    /// The key is not the key of the file's first certificate.
    case keyMismatch(certificateFile: String, keyFile: String)
    /// The certificate is past its time. The time is in UTC.
    case expired(file: String, since: String)
    /// The certificate's time has not begun. The time is in UTC.
    case notYetValid(file: String, from: String)
    /// OpenSSL refuses the certificate or key, for instance because the key is too short.
    case unusable(file: String, reason: OpenSSLErrorStack)
    /// A file or folder could not be written.
    case cannotWrite(file: String, reason: String)
    /// A host name or address cannot stand in a certificate.
    case invalidName(String)
    /// A protocol for ALPN is empty or over 255 bytes.
    case invalidApplicationProtocol(String)

    // Connections

    /// The handshake failed: no common version or suite, a missing or wrong client certificate, an alert of the peer.
    case handshakeFailed(OpenSSLErrorStack)
    /// The handshake was not complete in time.
    case handshakeTimeout
    /// The peer went away in the middle of the handshake.
    case handshakeInterrupted
    /// The peer spoke plain HTTP; it was told to use https.
    case plainHTTP
    /// The peer's connection ended without `close_notify`: what was read may not be all that was sent.
    case truncated
    /// A record was broken or forged, or the peer sent a fatal alert.
    case protocolViolation(OpenSSLErrorStack)
    /// The peer makes us answer protocol messages, and doesn't take the answers.
    case controlFlood

    /// A call of the library failed that depends on no input, for instance for want of memory.
    case library(operation: String, OpenSSLErrorStack)
}

extension TLSError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noSuchFile(let file, let content): "The \(content.rawValue) file '\(file)' does not exist"
        case .noPermission(let file, let content):
            "The \(content.rawValue) file '\(file)' may not be read by this user: permission denied"
        case .unreadable(let file, let reason): "The file '\(file)' cannot be read: \(reason)"
        case .notPEM(let file, let content): "The file '\(file)' has no \(content.rawValue) in PEM form"
        case .malformed(let file, let content, let reason):
            "The \(content.rawValue) in '\(file)' is broken: \(reason)"
        case .encryptedKey(let file):
            "The private key in '\(file)' is protected by a passphrase; give a key without one"
        case .keyMismatch(let certificate, let key):
            "The private key in '\(key)' does not belong to the first certificate in '\(certificate)'"
        case .expired(let file, let since): "The certificate in '\(file)' expired at \(since)"
        case .notYetValid(let file, let from): "The certificate in '\(file)' is not valid before \(from)"
        case .unusable(let file, let reason): "The content of '\(file)' is refused: \(reason)"
        case .cannotWrite(let file, let reason): "'\(file)' cannot be written: \(reason)"
        case .invalidName(let name): "'\(name)' is neither a host name nor an address that a certificate can carry"
        case .invalidApplicationProtocol(let name): "'\(name)' is no protocol name for ALPN (1 to 255 bytes)"
        case .handshakeFailed(let reason): "TLS handshake failed: \(reason)"
        case .handshakeTimeout: "TLS handshake was not complete in time"
        case .handshakeInterrupted: "The peer closed the connection during the TLS handshake"
        case .plainHTTP: "Plain HTTP was spoken to the TLS port"
        case .truncated: "The peer closed the connection without TLS close_notify"
        case .protocolViolation(let reason): "The TLS connection broke: \(reason)"
        case .controlFlood: "The peer asks for TLS control messages and does not take them"
        case .library(let operation, let reason): "OpenSSL failed to \(operation): \(reason)"
        }
    }
}
