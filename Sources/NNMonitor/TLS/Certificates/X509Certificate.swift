import COpenSSL

/// One certificate: the owner of an `X509 *`.
///
/// The certificate is parsed whole when it is made and is not changed afterwards.
///
/// Memory: `pointer` is owned, never null, and freed in `deinit`. The name and the times that OpenSSL shows belong to it, and
/// texts are lent to calls that keep nothing of them.
@safe final class X509Certificate {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe X509_free(pointer)
    }

    /// The subject in the form of RFC 2253, `CN=host,O=Company`.
    var subject: String {
        guard let output = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(output) }
        let printed = unsafe X509_NAME_print_ex(
            output, X509_get_subject_name(pointer), 0, nn_XN_FLAG_RFC2253_UTF8())
        guard printed >= 0 else { return "" }
        return unsafe contents(of: output).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The first moment of validity, `2026-02-10T12:34:56Z`.
    var notBefore: String { unsafe Self.text(X509_get0_notBefore(pointer)) }

    /// The last moment of validity, `2026-02-10T12:34:56Z`.
    var notAfter: String { unsafe Self.text(X509_get0_notAfter(pointer)) }

    /// True when the time of the certificate has not begun. `now` is in Unix seconds.
    func isNotYetValid(at now: Int) -> Bool {
        var now = time_t(now)
        return unsafe X509_cmp_time(X509_get0_notBefore(pointer), &now) > 0
    }

    /// True when the time of the certificate is over. `now` is in Unix seconds.
    func isExpired(at now: Int) -> Bool {
        var now = time_t(now)
        return unsafe X509_cmp_time(X509_get0_notAfter(pointer), &now) < 0
    }

    /// The SHA-256 of the certificate's DER form; 32 bytes.
    var sha256: [UInt8] {
        var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        // The digest writes the 32 bytes of SHA-256 into an array of 32 bytes.
        unsafe X509_digest(pointer, EVP_sha256(), &digest, nil)
        return digest
    }

    /// True when this is the key that the certificate speaks for.
    func belongs(to key: PrivateKey) -> Bool {
        defer { OpenSSLErrorStack.clear() }
        return unsafe X509_check_private_key(pointer, key.pointer) == 1
    }

    /// True when a client that looks for this host name would take the certificate (RFC 6125, no wildcards made up).
    func covers(hostName: String) -> Bool {
        unsafe X509_check_host(pointer, hostName, hostName.utf8.count, 0, nil) == 1
    }

    /// True when a client that looks for this IPv4 or IPv6 address would take the certificate.
    func covers(address: String) -> Bool {
        unsafe X509_check_ip_asc(pointer, address, 0) == 1
    }

    /// The certificate in PEM form, nil when memory is short.
    var pem: SecretBytes? {
        guard let output = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(output) }
        guard unsafe PEM_write_bio_X509(output, pointer) == 1 else { return nil }
        return unsafe contents(of: output)
    }

    private static func text(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        // The time belongs to a certificate that lives; `parts` is a local, and its pointer to a zone is not followed.
        var parts = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unreadable time" }
        func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return unsafe "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }
}

/// A private key: the owner of an `EVP_PKEY *`.
///
/// Memory: `pointer` is owned, never null, and freed in `deinit`.
@safe final class PrivateKey {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// The key as PKCS #8 in PEM form, without a passphrase; nil when memory is short.
    var pem: SecretBytes? {
        guard let output = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(output) }
        guard unsafe PEM_write_bio_PrivateKey(output, pointer, nil, nil, 0, nil, nil) == 1 else { return nil }
        return unsafe contents(of: output)
    }
}

/// What is in a memory BIO, read out of it. The BIO is the caller's, who frees it afterwards.
private func contents(of bio: OpaquePointer) -> SecretBytes {
    unsafe SecretBytes(count: BIO_ctrl_pending(bio)) { target in
        // The call writes at most as much as there is room for, and exactly that much waits in the BIO.
        unsafe _ = BIO_read(bio, target.baseAddress, CInt(target.count))
    }
}
