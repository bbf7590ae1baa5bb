import Foundation
import Testing

@testable import TLS

/// A temporary directory for one test, removed with the object.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "nnmonitor-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(name))
        return file(name)
    }

    private func text(_ bytes: SecretBytes) -> String {
        bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    func text(of file: String) throws -> String {
        try String(contentsOfFile: file, encoding: .utf8)
    }

    /// Makes a certificate for localhost and returns a configuration with it.
    func serverConfiguration(
        clientCAFile: String? = nil, minimumVersion: TLSVersion = .v1_2
    ) throws -> TLSConfiguration {
        let made = try DevelopmentCertificate.make(in: path, hostNames: ["localhost"], addresses: ["127.0.0.1", "::1"])
        return TLSConfiguration(
            certificateFile: made.certificateFile, keyFile: made.keyFile, clientCAFile: clientCAFile,
            minimumVersion: minimumVersion)
    }

    /// Makes a certificate with a validity period in seconds relative to now.
    func certificate(_ name: String, notBefore: Int, notAfter: Int) throws -> (certificate: String, key: String) {
        let now = FileBytes.unixTime
        let (certificate, key) = try SelfSignedCertificate.make(
            names: try SubjectNames(hostNames: ["localhost"], addresses: []),
            notBefore: now + notBefore, notAfter: now + notAfter)
        return (
            try write(text(#require(certificate.pem)), to: "\(name)-cert.pem"),
            try write(text(#require(key.pem)), to: "\(name)-key.pem")
        )
    }

    /// Makes an authority and a client certificate signed by it, with the openssl command.
    func clientAuthority(_ name: String) throws -> (authority: String, certificate: String, key: String) {
        let authority = file("\(name)-ca.pem")
        try openssl(
            ["req", "-x509", "-days", "2", "-subj", "/CN=\(name) CA", "-keyout", file("\(name)-ca-key.pem")]
                + Self.curve
                + ["-out", authority])
        let made = try clientCertificate(name, by: name, notBefore: -3600, notAfter: 3600)
        return (authority, made.certificate, made.key)
    }

    /// Makes a client certificate signed by an authority of `clientAuthority`, with a validity period in seconds
    /// relative to now.
    func clientCertificate(
        _ name: String, by authority: String, notBefore: Int, notAfter: Int
    ) throws -> (certificate: String, key: String) {
        let request = file("\(name)-request.pem"), key = file("\(name)-key.pem"), certificate = file("\(name).pem")
        let settings = """
            [ca]
            default_ca = made
            [made]
            database = \(file("\(name)-index"))
            new_certs_dir = \(path)
            rand_serial = yes
            default_md = sha256
            policy = policy
            x509_extensions = client
            [policy]
            commonName = supplied
            [client]
            extendedKeyUsage = clientAuth
            basicConstraints = CA:FALSE
            """
        try write("", to: "\(name)-index")
        let configuration = try write(settings + "\n", to: "\(name).cnf")
        try openssl(["req", "-new", "-subj", "/CN=\(name)", "-keyout", key, "-out", request] + Self.curve)
        let now = Date.now
        func text(_ seconds: Int) -> String {
            (now + TimeInterval(seconds)).ISO8601Format().filter { !"-:T".contains($0) }
        }
        try openssl([
            "ca", "-batch", "-notext", "-config", configuration, "-in", request, "-out", certificate,
            "-cert", file("\(authority)-ca.pem"), "-keyfile", file("\(authority)-ca-key.pem"),
            "-startdate", text(notBefore), "-enddate", text(notAfter),
        ])
        return (certificate, key)
    }

    private static let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    @discardableResult
    func openssl(_ arguments: [String]) throws -> String {
        try run("openssl", arguments)
    }
}

/// Runs a command and returns its output on both streams; throws if it fails.
@discardableResult
func run(_ command: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [command] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self)
    try #require(process.terminationStatus == 0, "\(command) \(arguments): \(text)")
    return text
}
