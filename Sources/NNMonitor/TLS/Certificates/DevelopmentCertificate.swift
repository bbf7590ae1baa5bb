/// A self-signed certificate for trying things out: P-256, for given host names and addresses.
///
/// Nobody trusts it by itself; a client is given the certificate file as its authority, or compares the fingerprint.
package enum DevelopmentCertificate {
    /// How long a new certificate is valid. Browsers take no more than 398 days.
    static let lifetimeInDays = 397

    /// A certificate that is this near to its end is made anew.
    static let renewalInDays = 14

    /// Makes a certificate and its key in a folder, or finds the ones that were made earlier, as long as they are
    /// valid and cover every name. This reads and writes files: not on an event loop.
    ///
    /// - Parameters:
    ///   - directory: The folder; it is made when it is missing.
    ///   - hostNames: DNS names, `localhost` among them if wanted.
    ///   - addresses: IPv4 and IPv6 addresses; a zone (`%eth0`) is left out.
    /// - Returns: The paths of both PEM files, and the certificate's SHA-256 as upper-case pairs joined by colons. Only
    ///   the owner may read the key file.
    /// - Throws: `.invalidName`, `.cannotWrite`, or `.library`.
    package static func make(
        in directory: String, hostNames: [String], addresses: [String]
    ) throws(TLSError) -> (certificateFile: String, keyFile: String, sha256Fingerprint: String) {
        let names = try SubjectNames(hostNames: hostNames, addresses: addresses)
        let folder = directory.isEmpty ? "." : directory
        let certificateFile = "\(folder)/dev-cert.pem"
        let keyFile = "\(folder)/dev-key.pem"
        if let certificate = reusable(certificateFile, keyFile, names) {
            // Somebody may have copied the folder with looser rights.
            try writing(keyFile) { () throws(FileBytes.Failure) in try FileBytes.setMode(keyFile, 0o600) }
            return (certificateFile, keyFile, SHA256Digest.fingerprint(certificate.sha256))
        }
        let now = FileBytes.unixTime
        let day = 86400
        // A day back: the clock of another machine may be behind.
        let (certificate, key) = try SelfSignedCertificate.make(
            names: names, notBefore: now - day, notAfter: now + lifetimeInDays * day)
        guard let certificatePEM = certificate.pem, let keyPEM = key.pem else {
            throw .library(operation: "write PEM", .take())
        }
        try writing(folder) { () throws(FileBytes.Failure) in try FileBytes.makeDirectory(folder) }
        try writing(keyFile) { () throws(FileBytes.Failure) in
            try FileBytes.replace(keyFile, with: keyPEM, mode: 0o600)
        }
        try writing(certificateFile) { () throws(FileBytes.Failure) in
            try FileBytes.replace(certificateFile, with: certificatePEM, mode: 0o644)
        }
        return (certificateFile, keyFile, SHA256Digest.fingerprint(certificate.sha256))
    }

    /// The certificate on disk, if it still serves. Whatever is wrong with the files, new ones take their place.
    private static func reusable(
        _ certificateFile: String, _ keyFile: String, _ names: SubjectNames
    ) -> X509Certificate? {
        guard let certificate = try? PEMFile.certificates(certificateFile, as: .certificate).first,
            let key = try? PEMFile.privateKey(keyFile), certificate.belongs(to: key)
        else { return nil }
        let now = FileBytes.unixTime
        guard !certificate.isNotYetValid(at: now), !certificate.isExpired(at: now + renewalInDays * 86400),
            names.hostNames.allSatisfy(certificate.covers(hostName:)),
            names.addresses.allSatisfy(certificate.covers(address:))
        else { return nil }
        return certificate
    }

    private static func writing(
        _ file: String, _ body: () throws(FileBytes.Failure) -> Void
    ) throws(TLSError) {
        do {
            try body()
        } catch {
            throw .cannotWrite(file: file, reason: error.reason)
        }
    }
}
