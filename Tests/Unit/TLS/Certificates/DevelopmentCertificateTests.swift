import Foundation
import TLS
import Testing

@Suite struct DevelopmentCertificateTests {
    let folder: TestFolder

    init() throws {
        folder = try TestFolder()
    }

    private func mode(_ file: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    }

    @Test func `It is a P-256 end-entity certificate for its names, with a key file that only its owner can read`()
        throws
    {
        let directory = folder.file("new/certs")
        let made = try DevelopmentCertificate.make(
            in: directory, hostNames: ["localhost", "box.local"], addresses: ["127.0.0.1", "fe80::1%eth0"])
        #expect(try mode(made.keyFile) == 0o600)
        let text = try folder.openssl(["x509", "-in", made.certificateFile, "-noout", "-text"])
        #expect(text.contains("NIST CURVE: P-256"))
        #expect(text.contains("CA:FALSE"))
        #expect(text.contains("TLS Web Server Authentication"))
        #expect(text.contains("DNS:localhost, DNS:box.local, IP Address:127.0.0.1, IP Address:FE80:0:0:0:0:0:0:1"))
        let verified = try folder.openssl(["verify", "-CAfile", made.certificateFile, made.certificateFile])
        #expect(verified.contains(": OK"))
    }

    @Test func `It is reused if it covers all names, and replaced otherwise`() throws {
        func make(_ names: [String], _ addresses: [String] = []) throws -> String {
            try DevelopmentCertificate.make(in: folder.path, hostNames: names, addresses: addresses).sha256Fingerprint
        }
        let first = try make(["localhost", "a"], ["10.0.0.1"])
        #expect(try make(["localhost"]) == first)
        let second = try make(["localhost", "b"])
        #expect(second != first)
        #expect(try make(["localhost"], ["10.0.0.1"]) != second)
    }

    @Test func `The mode of the key file is restored, and invalid files are replaced`() throws {
        let made = try DevelopmentCertificate.make(in: folder.path, hostNames: ["localhost"], addresses: [])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: made.keyFile)
        let again = try DevelopmentCertificate.make(in: folder.path, hostNames: ["localhost"], addresses: [])
        #expect(again.sha256Fingerprint == made.sha256Fingerprint)
        #expect(try mode(made.keyFile) == 0o600)
        try folder.write("broken", to: "dev-key.pem")
        let fresh = try DevelopmentCertificate.make(in: folder.path, hostNames: ["localhost"], addresses: [])
        #expect(fresh.sha256Fingerprint != made.sha256Fingerprint)
    }

    @Test(arguments: ["a,DNS:evil", "", "a b", "-\n", String(repeating: "x", count: 64)])
    func `A name that could add another name is rejected`(name: String) {
        #expect(throws: TLSError.invalidName(name)) {
            try DevelopmentCertificate.make(in: folder.path, hostNames: [name], addresses: [])
        }
    }

    @Test func `An invalid address is rejected`() {
        #expect(throws: TLSError.invalidName("300.1.1.1")) {
            try DevelopmentCertificate.make(in: folder.path, hostNames: [], addresses: ["300.1.1.1"])
        }
    }

    @Test func `The error names a directory that cannot be made`() throws {
        let file = try folder.write("x", to: "file")
        let error = #expect(throws: TLSError.self) {
            try DevelopmentCertificate.make(in: "\(file)/certs", hostNames: ["localhost"], addresses: [])
        }
        guard case .cannotWrite("\(file)/certs", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
