import NIOCore
import TLS

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The TLS context that the settings determine.
struct TLSSetup {
    /// The context of new connections; `nil` means plain HTTP.
    let source: TLSContextSource?
    /// A description for the banner.
    let summary: String
    /// SHA-256 of the certificate as upper-case hexadecimal pairs with colons; `nil`: plain HTTP.
    let fingerprint: String?

    /// Reads the certificate files, or generates a development certificate in the folder `certs`.
    ///
    /// - Throws: `StartError` or `TLSError`, which name the file and what is wrong with it.
    init(_ settings: TLSSettings) throws {
        let files: (certificate: String, key: String)
        var note = ""
        if settings.mode.value == .dev {
            let made = try DevelopmentCertificate.make(
                in: "certs", hostNames: Self.hostNames, addresses: Self.addresses)
            files = (made.certificateFile, made.keyFile)
            note = ", for development: \(made.certificateFile)"
        } else if settings.isEnabled, let certificate = settings.certFile.value, let key = settings.keyFile.value {
            files = (certificate, key)
        } else {
            (source, fingerprint) = (nil, nil)
            summary = "off: traffic is unencrypted, including tokens"
            return
        }
        let minimumVersion = settings.minVersion.value
        let configuration = TLSConfiguration(
            certificateFile: files.certificate, keyFile: files.key, clientCAFile: settings.clientCAFile.value,
            minimumVersion: minimumVersion == .v1_3 ? .v1_3 : .v1_2, applicationProtocols: ["http/1.1"])
        let source: TLSContextSource
        do {
            source = try TLSContextSource(configuration: configuration)
        } catch {
            throw Self.startError(for: error, settings)
        }
        let certificate = source.current.certificate
        self.source = source
        fingerprint = certificate.sha256Fingerprint
        summary =
            "\(minimumVersion.rawValue) or newer\(note), SHA-256 \(certificate.sha256Fingerprint), "
            + "valid until \(certificate.notAfter)"
            + (settings.clientCAFile.value.map { ", client certificates from \($0)" } ?? "")
    }

    /// The error with the name of the setting whose file it is about.
    private static func startError(for error: TLSError, _ settings: TLSSettings) -> StartError {
        let text = "\(error)"
        for setting in [settings.keyFile, settings.clientCAFile, settings.certFile] {
            if let file = setting.value, text.contains("'\(file)'") {
                return StartError(setting.descriptor, value: file, reason: text)
            }
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
