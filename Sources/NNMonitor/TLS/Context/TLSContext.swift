import COpenSSL

/// What all connections of a server share: certificate, key, protocol policy and ticket keys.
///
/// A context never changes once it is made; new files make a new one (`TLSContextSource`). A connection keeps the
/// context that it began with.
///
/// Memory: `pointer` is owned, never null, and freed in `deinit`, or in `init` when that fails. A session holds a reference
/// of its own, and keeps this object, to which the callbacks' data belong.
@safe package final class TLSContext: Sendable {
    /// The server's certificate, for logs and the start banner.
    package struct CertificateFacts: Sendable, Equatable {
        /// The subject in the form of RFC 2253.
        package let subject: String
        /// The first moment of validity in UTC, ISO 8601.
        package let notBefore: String
        /// The last moment of validity in UTC, ISO 8601.
        package let notAfter: String
        /// The SHA-256 of the certificate as pairs of hexadecimal digits, joined by colons.
        package let sha256Fingerprint: String
    }

    /// The configuration that the context was made from.
    package let configuration: TLSConfiguration

    /// The server's certificate.
    package let certificate: CertificateFacts

    // Configured in `init` and only read afterwards. OpenSSL counts its references atomically and guards the little
    // that sessions change in it (statistics) with its own locks, so threads may share it.
    nonisolated(unsafe) let pointer: OpaquePointer

    // OpenSSL's callbacks hold unretained pointers to both. They live as long as the context, and every session
    // keeps its context.
    private let protocols: ApplicationProtocols
    private let ticketKeys: TicketKeys

    /// Reads the files and checks them. This reads from disk: not on an event loop.
    ///
    /// - Parameters:
    ///   - configuration: The files and the limits.
    ///   - ticketClock: Tells the time by which ticket keys age, in seconds; a clock that is never set when left out.
    /// - Throws: `TLSError`, a case of "Files" or `.library`.
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
