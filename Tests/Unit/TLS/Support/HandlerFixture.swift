import TLS

/// The certificate files and the TLS context of a server, for tests of its handler.
struct HandlerFixture {
    private let folder: TestFolder
    let configuration: TLSConfiguration
    let context: TLSContext

    init() throws {
        folder = try TestFolder()
        configuration = try folder.serverConfiguration()
        context = try TLSContext(configuration: configuration)
    }

    /// A connection with a client that offers `version` only; nil: every version.
    func peer(_ version: TLSVersion? = nil) throws -> EmbeddedPeer {
        let (first, last) = (version ?? .v1_2, version ?? .v1_3)
        return try EmbeddedPeer(
            context: context, trusting: configuration.certificateFile, versions: first.rawValue...last.rawValue)
    }
}
