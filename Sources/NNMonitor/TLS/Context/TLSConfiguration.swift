/// What a TLS server is made from: the files on disk and the limits of the protocol.
package struct TLSConfiguration: Sendable, Hashable {
    /// A PEM file with the server's own certificate first, then the intermediate ones.
    package var certificateFile: String

    /// A PEM file with the private key of the first certificate, without a passphrase. It may be the same file.
    package var keyFile: String

    /// A PEM file with the authorities that sign client certificates. When set, a client must present one each time it
    /// connects: sessions are not resumed.
    package var clientCAFile: String?

    /// The oldest version that a client may speak.
    package var minimumVersion: TLSVersion

    /// Protocols for ALPN (RFC 7301) in order of preference, each 1 to 255 bytes long. A client that offers only
    /// others is refused with the alert `no_application_protocol`; one that offers none is served.
    package var applicationProtocols: [String]

    /// How long a session ticket stays good for resumption, in seconds.
    package var ticketLifetime: Int

    /// Makes a configuration from the paths of its files.
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
