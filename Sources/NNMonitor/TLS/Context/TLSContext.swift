import COpenSSL

/// A TLS context (`SSL_CTX`): the certificate, private key, protocol policy and ticket keys that connections share.
///
/// A context is immutable: changed files are loaded into a new one (`TLSContextSource`), and existing connections keep
/// the context with which they started.
///
/// Memory: This object owns `pointer`, which is not null; `deinit` frees it, or `init` if it fails. Each session holds
/// its own reference to the `SSL_CTX`, and retains this object, which owns the data of the callbacks.
@safe package final class TLSContext: Sendable {
    /// What the start banner shows of the server's certificate.
    package struct CertificateFacts: Sendable, Equatable {
        /// The end of the validity period in UTC, ISO 8601.
        package let notAfter: String
        /// The SHA-256 of the certificate's DER form as pairs of uppercase hexadecimal digits, joined by colons.
        package let sha256Fingerprint: String
    }

    /// The configuration from which the context was made.
    package let configuration: TLSConfiguration

    /// The server's certificate, the first of the certificate file.
    package let certificate: CertificateFacts

    // Not modified after `init`. OpenSSL counts references atomically and locks what connections change in the context
    // (statistics), so threads may share it.
    nonisolated(unsafe) let pointer: OpaquePointer

    // OpenSSL's callbacks have unretained pointers to both; they live as long as this object, which sessions retain.
    private let protocols: ApplicationProtocols
    private let ticketKeys: TicketKeys

    /// Reads and validates the files. Blocks on disk reads: do not call it on an event loop.
    ///
    /// - Parameters:
    ///   - configuration: the files and limits.
    ///   - ticketClock: returns the time in seconds that determines the age of ticket keys. By default a monotonic
    ///     clock.
    /// - Throws: a case of `TLSError` under "Files", or `.library`.
    package init(
        configuration: TLSConfiguration, ticketClock: (@Sendable () -> Int)? = nil
    ) throws(TLSError) {
        let identity = try ServerIdentity(configuration: configuration, now: FileBytes.unixTime)
        let protocols = try ApplicationProtocols(configuration.applicationProtocols)
        let ticketKeys = try TicketKeys(
            lifetime: configuration.ticketLifetime, clock: ticketClock ?? { TicketKeys.uptime })
        OpenSSLErrorStack.clear()
        guard let pointer = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw .library(operation: "make a TLS context", .take())
        }
        do throws(TLSError) {
            unsafe try TLSPolicy.apply(to: pointer, configuration: configuration)
            unsafe try identity.install(in: pointer)
            unsafe protocols.install(in: pointer)
            unsafe try ticketKeys.install(in: pointer)
        } catch {
            unsafe SSL_CTX_free(pointer)
            throw error
        }
        self.configuration = configuration
        self.certificate = identity.facts
        self.protocols = protocols
        self.ticketKeys = ticketKeys
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }
}
