import COpenSSL

/// One X.509 certificate (RFC 5280): the owner of an `X509 *`, which is not modified.
///
/// Memory: This object owns `pointer`, which is not null, and frees it in `deinit`. The certificate owns the times
/// that OpenSSL returns; OpenSSL does not keep the strings passed to it.
@safe final class X509Certificate {
    let pointer: OpaquePointer

    /// Takes ownership of the caller's reference.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe X509_free(pointer)
    }

    /// The start of the validity period in UTC, `2026-02-10T12:34:56Z`.
    var notBefore: String { unsafe Self.text(X509_get0_notBefore(pointer)) }

    /// The end of the validity period in UTC, `2026-02-10T12:34:56Z`.
    var notAfter: String { unsafe Self.text(X509_get0_notAfter(pointer)) }

    /// Returns true if the validity period has not begun. `now` is Unix time in seconds.
    func isNotYetValid(at now: Int) -> Bool {
        var now = time_t(now)
        return unsafe X509_cmp_time(X509_get0_notBefore(pointer), &now) > 0
    }

    /// Returns true if the validity period is over. `now` is Unix time in seconds.
    func isExpired(at now: Int) -> Bool {
        var now = time_t(now)
        return unsafe X509_cmp_time(X509_get0_notAfter(pointer), &now) < 0
    }

    /// The SHA-256 of the certificate's DER form; 32 bytes.
    var sha256: [UInt8] {
        var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        // X509_digest writes the 32 bytes of SHA-256, which is the size of the array.
        unsafe X509_digest(pointer, EVP_sha256(), &digest, nil)
        return digest
    }

    /// Returns true if the certificate contains the public key of this private key.
    func belongs(to key: PrivateKey) -> Bool {
        defer { OpenSSLErrorStack.clear() }
        return unsafe X509_check_private_key(pointer, key.pointer) == 1
    }

    /// Returns true if the certificate is valid for a host name (RFC 6125).
    func covers(hostName: String) -> Bool {
        unsafe X509_check_host(pointer, hostName, hostName.utf8.count, 0, nil) == 1
    }

    /// Returns true if the certificate is valid for an IPv4 or IPv6 address.
    func covers(address: String) -> Bool {
        unsafe X509_check_ip_asc(pointer, address, 0) == 1
    }

    /// The certificate in PEM format (RFC 7468); `nil` if memory is exhausted.
    var pem: SecretBytes? {
        guard let output = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(output) }
        guard unsafe PEM_write_bio_X509(output, pointer) == 1 else { return nil }
        return unsafe readAll(from: output)
    }

    /// Formats a time as ISO 8601 in UTC.
    private static func text(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        // The certificate owns `time`. The pointer in `parts` to the name of a time zone is not used.
        var parts = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unreadable time" }
        func twoDigits(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return unsafe "\(parts.tm_year + 1900)-\(twoDigits(parts.tm_mon + 1))-\(twoDigits(parts.tm_mday))"
            + "T\(twoDigits(parts.tm_hour)):\(twoDigits(parts.tm_min)):\(twoDigits(parts.tm_sec))Z"
    }
}
