/// A self-signed P-256 certificate for development, for given host names and addresses.
///
/// Clients do not trust it by default: they need the certificate file as an authority, or compare the fingerprint.
package enum DevelopmentCertificate {
    /// The validity period of a new certificate. Browsers refuse more than 398 days.
    static let lifetimeInDays = 397

    /// A certificate that expires within this time is replaced.
    static let renewalInDays = 14

    /// Makes a certificate and its key in a directory, unless it contains a valid pair that covers all names.
    ///
    /// Blocks on file access: do not call it on an event loop.
    ///
    /// - Parameters:
    ///   - directory: the directory of the files; created if it is missing.
    ///   - hostNames: DNS names; `localhost` is not added.
    ///   - addresses: IPv4 and IPv6 addresses; a zone (`%eth0`) is removed.
    /// - Returns: the paths of both PEM files, and the certificate's SHA-256 as pairs of uppercase hexadecimal digits
    ///   joined by colons. Only its owner can read the key file.
    /// - Throws: `.invalidName`, `.cannotWrite`, or `.library`.
    package static func make(
        in directory: String, hostNames: [String], addresses: [String]
    ) throws(TLSError) -> (certificateFile: String, keyFile: String, sha256Fingerprint: String) {
        let names = try SubjectNames(hostNames: hostNames, addresses: addresses)
        let folder = directory.isEmpty ? "." : directory
        let certificateFile = "\(folder)/dev-cert.pem"
        let keyFile = "\(folder)/dev-key.pem"
        if let certificate = reusable(certificateFile, keyFile, names) {
            // Copying the directory may have relaxed the permissions.
            try writing(keyFile) { () throws(FileBytes.Failure) in try FileBytes.setMode(keyFile, 0o600) }
            return (certificateFile, keyFile, SHA256Digest.fingerprint(certificate.sha256))
        }
        let now = FileBytes.unixTime
        let day = 86400
        // Start a day earlier: a client's clock may be behind.
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

    /// Returns the certificate on disk if it can be used; `nil` if the files are missing or invalid, to be replaced.
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
