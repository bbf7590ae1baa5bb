/// The files and limits from which a `TLSContext` is made.
package struct TLSConfiguration: Sendable, Hashable {
    /// Path of a PEM file with the server's certificate first, then the intermediate certificates.
    package var certificateFile: String

    /// Path of a PEM file with the certificate's private key, without a passphrase. It may be the certificate file.
    package var keyFile: String

    /// Path of a PEM file with the authorities that sign client certificates. If set, a client must present a
    /// certificate on every connection: sessions are not resumed. `nil`: no client certificate is requested.
    package var clientCAFile: String?

    /// The oldest TLS version that a client may negotiate.
    package var minimumVersion: TLSVersion

    /// Protocols for ALPN (RFC 7301) in order of preference, each 1 to 255 bytes long. A client that offers only
    /// other protocols is refused with the alert `no_application_protocol`; one that does not use ALPN is served.
    package var applicationProtocols: [String]

    /// How long a session ticket can be used for resumption, in seconds.
    package var ticketLifetime: Int

    /// Makes a configuration. Nothing is read or checked here; `TLSContext.init` does that.
    package init(
        certificateFile: String,
        keyFile: String,
        clientCAFile: String? = nil,
        minimumVersion: TLSVersion = .v1_2,
        applicationProtocols: [String] = ["http/1.1"],
        ticketLifetime: Int = 7200
    ) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.clientCAFile = clientCAFile
        self.minimumVersion = minimumVersion
        self.applicationProtocols = applicationProtocols
        self.ticketLifetime = ticketLifetime
    }
}
