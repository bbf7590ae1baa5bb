import Foundation
import TLS
import Testing

@Suite struct TLSContextTests {
    let folder: TestFolder
    let good: TLSConfiguration

    init() throws {
        folder = try TestFolder()
        good = try folder.serverConfiguration()
    }

    private func error(_ change: (inout TLSConfiguration) throws -> Void) rethrows -> TLSError? {
        var configuration = good
        try change(&configuration)
        do throws(TLSError) {
            _ = try TLSContext(configuration: configuration)
            return nil
        } catch {
            return error
        }
    }

    @Test func `The facts of the certificate match the openssl command`() throws {
        let facts = try TLSContext(configuration: good).certificate
        let printed = try folder.openssl(["x509", "-in", good.certificateFile, "-noout", "-fingerprint", "-sha256"])
        #expect(printed.contains("=\(facts.sha256Fingerprint)\n"))
        #expect(facts.notAfter.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
    }

    @Test func `The error names a missing file`() {
        let missing = folder.file("missing.pem")
        #expect(error { $0.certificateFile = missing } == .noSuchFile(missing, .certificate))
        #expect(error { $0.keyFile = missing } == .noSuchFile(missing, .privateKey))
        #expect(error { $0.clientCAFile = missing } == .noSuchFile(missing, .authorities))
        #expect(
            TLSError.noSuchFile(missing, .privateKey).description
                == "The private key file '\(missing)' does not exist")
    }

    @Test(.enabled(if: getuid() != 0, "root can read every file"))
    func `The error names a file without permission`() throws {
        let file = try folder.write("x", to: "locked.pem", mode: 0)
        #expect(error { $0.keyFile = file } == .noPermission(file, .privateKey))
    }

    @Test func `A directory is not accepted as a file`() {
        guard case .unreadable(let file, let reason)? = error({ $0.certificateFile = folder.path }) else {
            Issue.record("no error")
            return
        }
        #expect(file == folder.path)
        #expect(reason.contains("regular file"))
    }

    @Test func `The error of a file without PEM names the expected content`() throws {
        let text = try folder.write("hello", to: "text.pem")
        let empty = try folder.write("", to: "empty.pem")
        #expect(error { $0.certificateFile = text } == .notPEM(file: text, expected: .certificate))
        #expect(error { $0.certificateFile = empty } == .notPEM(file: empty, expected: .certificate))
        #expect(error { $0.keyFile = empty } == .notPEM(file: empty, expected: .privateKey))
        // Certificate and key file swapped.
        #expect(
            error { $0.certificateFile = good.keyFile } == .notPEM(file: good.keyFile, expected: .certificate))
        #expect(
            error { $0.keyFile = good.certificateFile } == .notPEM(file: good.certificateFile, expected: .privateKey))
        #expect(error { $0.clientCAFile = text } == .notPEM(file: text, expected: .authorities))
    }

    @Test func `The error distinguishes invalid content from missing PEM`() throws {
        let certificate = try folder.text(of: good.certificateFile)
        let cut = try folder.write(String(certificate.prefix(300)), to: "cut.pem")
        let wrong = try folder.write(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "wrong.pem")
        let key = try folder.write("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", to: "key.pem")
        for file in [cut, wrong] {
            guard case .malformed(file, .certificate, _)? = error({ $0.certificateFile = file }) else {
                Issue.record("\(file)")
                continue
            }
        }
        guard case .malformed(key, .privateKey, _)? = error({ $0.keyFile = key }) else {
            Issue.record("\(key)")
            return
        }
    }

    @Test func `A key with a passphrase is rejected without a prompt`() throws {
        let file = folder.file("secret.pem")
        try folder.openssl(["pkcs8", "-topk8", "-in", good.keyFile, "-passout", "pass:secret", "-out", file])
        #expect(error { $0.keyFile = file } == .encryptedKey(file: file))
    }

    @Test func `The error of a key of another certificate names both files`() throws {
        let other = try folder.certificate("other", notBefore: -10, notAfter: 1000)
        #expect(
            error { $0.keyFile = other.key }
                == .keyMismatch(certificateFile: good.certificateFile, keyFile: other.key))
    }

    @Test func `Certificates outside their validity period are rejected`() throws {
        let expired = try folder.certificate("expired", notBefore: -2000, notAfter: -1000)
        let notYetValid = try folder.certificate("not-yet-valid", notBefore: 1000, notAfter: 2000)
        guard case .expired(expired.certificate, _)? = error({ ($0.certificateFile, $0.keyFile) = expired }) else {
            Issue.record("not expired")
            return
        }
        guard case .notYetValid(notYetValid.certificate, _)? = error({ ($0.certificateFile, $0.keyFile) = notYetValid })
        else {
            Issue.record("valid")
            return
        }
    }

    @Test func `A key that is too short is rejected with OpenSSL's reason`() throws {
        let certificate = folder.file("short.pem"), key = folder.file("short-key.pem")
        try folder.openssl([
            "req", "-x509", "-newkey", "rsa:768", "-nodes", "-subj", "/CN=short", "-keyout", key, "-out", certificate,
        ])
        guard
            case .unusable(certificate, let reason)? = error({
                $0.certificateFile = certificate
                $0.keyFile = key
            })
        else {
            Issue.record("accepted")
            return
        }
        #expect(reason.description.contains("too small"))
    }

    @Test func `A reload replaces the context only if the files are valid`() throws {
        let source = try TLSContextSource(configuration: good)
        let first = source.current
        let goodKey = try folder.text(of: good.keyFile)
        try folder.write("garbage", to: "dev-key.pem")
        #expect(throws: TLSError.notPEM(file: good.keyFile, expected: .privateKey)) { try source.reload() }
        #expect(source.current === first)
        try folder.write(goodKey, to: "dev-key.pem")
        let second = try source.reload()
        #expect(source.current === second)
        #expect(second !== first)
    }
}
