import Foundation
import Testing

@testable import OpenSSLTransport

/// A folder of its own for one test, gone with the object.
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

    func text(of file: String) throws -> String {
        try String(contentsOfFile: file, encoding: .utf8)
    }

    /// A server certificate for localhost.
    func serverConfiguration(
        clientCAFile: String? = nil, minimumVersion: TLSVersion = .v1_2
    ) throws -> TLSConfiguration {
        let made = try DevelopmentCertificate.make(in: path, hostNames: ["localhost"], addresses: ["127.0.0.1", "::1"])
        return TLSConfiguration(
            certificateFile: made.certificateFile, keyFile: made.keyFile, clientCAFile: clientCAFile,
            minimumVersion: minimumVersion)
    }

    /// A certificate with times of its own, relative to now in seconds.
    func certificate(_ name: String, notBefore: Int, notAfter: Int) throws -> (certificate: String, key: String) {
        let now = FileBytes.unixTime
        let (certificate, key) = try SelfSignedCertificate.make(
            names: try SubjectNames(hostNames: ["localhost"], addresses: []),
            notBefore: now + notBefore, notAfter: now + notAfter)
        return (
            try write(String(decoding: #require(certificate.pem), as: UTF8.self), to: "\(name)-cert.pem"),
            try write(String(decoding: #require(key.pem), as: UTF8.self), to: "\(name)-key.pem")
        )
    }

    /// An authority and a client certificate that it signed, by the openssl command.
    func clientAuthority(_ name: String) throws -> (authority: String, certificate: String, key: String) {
        let ca = file("\(name)-ca.pem"), caKey = file("\(name)-ca-key.pem")
        let request = file("\(name)-request.pem"), key = file("\(name)-key.pem"), certificate = file("\(name).pem")
        let extensions = try write("extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\n", to: "\(name).ext")
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try openssl(["req", "-x509", "-days", "2", "-subj", "/CN=\(name) CA", "-keyout", caKey, "-out", ca] + curve)
        try openssl(["req", "-new", "-subj", "/CN=\(name)", "-keyout", key, "-out", request] + curve)
        try openssl([
            "x509", "-req", "-days", "1", "-in", request, "-CA", ca, "-CAkey", caKey, "-CAcreateserial",
            "-extfile", extensions, "-out", certificate,
        ])
        return (ca, certificate, key)
    }

    @discardableResult
    func openssl(_ arguments: [String]) throws -> String {
        try run("openssl", arguments)
    }
}

/// Runs a command to its end and returns what it printed on both streams.
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
