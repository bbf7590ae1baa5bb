import NIOCore
import TLS

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Certificate and key, as the settings say.
struct TLSSetup {
    /// The context that new connections take; `nil`: plain HTTP.
    let source: TLSContextSource?
    /// What the banner says.
    let summary: String
    /// SHA-256 of the certificate as upper-case hexadecimal pairs with colons; `nil`: plain HTTP.
    let fingerprint: String?

    /// Reads the files, or makes a development certificate in `certs`.
    ///
    /// - Parameter settings: the settings.
    /// - Throws: `StartError` or `TLSError`, which name the file and what is wrong with it.
    init(_ settings: Settings) throws {
        let files: (certificate: String, key: String)
        var note = ""
        if settings.tls == .dev {
            let made = try DevelopmentCertificate.make(
                in: "certs", hostNames: Self.hostNames, addresses: Self.addresses)
            files = (made.certificateFile, made.keyFile)
            note = ", for development: \(made.certificateFile)"
        } else if settings.usesTLS, let certificate = settings.tlsCertFile, let key = settings.tlsKeyFile {
            files = (certificate, key)
        } else {
            (source, fingerprint) = (nil, nil)
            summary = "off: traffic, tokens included, can be read on its way"
            return
        }
        let configuration = TLSConfiguration(
            certificateFile: files.certificate, keyFile: files.key, clientCAFile: settings.tlsClientCAFile,
            minimumVersion: settings.tlsMinVersion == .v1_3 ? .v1_3 : .v1_2, applicationProtocols: ["http/1.1"])
        let source: TLSContextSource
        do {
            source = try TLSContextSource(configuration: configuration)
        } catch {
            throw Self.blame(error, settings)
        }
        let certificate = source.current.certificate
        self.source = source
        fingerprint = certificate.sha256Fingerprint
        summary =
            "\(settings.tlsMinVersion.rawValue) or newer\(note), SHA-256 \(certificate.sha256Fingerprint), "
            + "valid until \(certificate.notAfter)"
            + (settings.tlsClientCAFile.map { ", client certificates from \($0)" } ?? "")
    }

    /// The setting that a file's error is to be told of.
    private static func blame(_ error: TLSError, _ settings: Settings) -> StartError {
        let text = "\(error)"
        let candidates = [
            (SettingsTable.tlsKeyFile.facts, settings.tlsKeyFile),
            (SettingsTable.tlsClientCAFile.facts, settings.tlsClientCAFile),
            (SettingsTable.tlsCertFile.facts, settings.tlsCertFile),
        ]
        for case (let setting, let file?) in candidates where text.contains("'\(file)'") {
            return StartError(setting, value: file, reason: text)
        }
        return StartError(text)
    }

    private static var hostNames: [String] {
        let name = ProcessInfo.processInfo.hostName
        let isName = !name.isEmpty && (try? SocketAddress(ipAddress: name, port: 0)) == nil && name != "localhost"
        return ["localhost"] + (isName ? [name] : [])
    }

    private static var addresses: [String] {
        let found = (try? System.enumerateDevices())?.compactMap { $0.address?.ipAddress } ?? []
        var seen: Set<String> = []
        return (["127.0.0.1", "::1"] + found).filter { seen.insert($0).inserted }
    }
}
