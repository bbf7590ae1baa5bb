import COpenSSL

/// Makes a self-signed server certificate (RFC 5280) with a new P-256 key.
enum SelfSignedCertificate {
    /// Makes a key and its certificate.
    ///
    /// - Parameters:
    ///   - names: the subject alternative names; the first is also the common name.
    ///   - notBefore: the start of the validity period, Unix time in seconds.
    ///   - notAfter: the end of the validity period, Unix time in seconds.
    /// - Returns: the certificate and its private key.
    /// - Throws: `.library`.
    static func make(
        names: SubjectNames, notBefore: Int, notAfter: Int
    ) throws(TLSError) -> (certificate: X509Certificate, key: PrivateKey) {
        OpenSSLErrorStack.clear()
        // The objects below own both pointers and outlive the calls. OpenSSL copies the strings and takes its own
        // reference to the key; the certificate owns its names and times.
        guard let keyPointer = unsafe nn_EVP_EC_gen("P-256"), let pointer = unsafe X509_new() else {
            throw .library(operation: "make a key", .take())
        }
        let key = unsafe PrivateKey(owning: keyPointer)
        let certificate = unsafe X509Certificate(owning: pointer)
        let commonName = names.hostNames.first ?? names.addresses.first ?? ""
        let done =
            unsafe X509_set_version(pointer, CLong(X509_VERSION_3)) == 1
            && setRandomSerial(pointer)
            && ASN1_TIME_set(X509_getm_notBefore(pointer), notBefore) != nil
            && ASN1_TIME_set(X509_getm_notAfter(pointer), notAfter) != nil
            && addName("O", "NNMonitor development certificate", to: pointer)
            && addName("CN", String(commonName.prefix(64)), to: pointer)
            && X509_set_issuer_name(pointer, X509_get_subject_name(pointer)) == 1
            && X509_set_pubkey(pointer, key.pointer) == 1
            // An end entity, not an authority: trusting it must not extend to certificates signed with its key.
            && addExtension(NID_basic_constraints, "critical,CA:FALSE", to: pointer)
            && addExtension(NID_key_usage, "critical,digitalSignature", to: pointer)
            && addExtension(NID_ext_key_usage, "serverAuth", to: pointer)
            && addExtension(NID_subject_key_identifier, "hash", to: pointer)
            && addExtension(NID_subject_alt_name, names.alternativeName, to: pointer)
            && X509_sign(pointer, key.pointer, EVP_sha256()) > 0
        guard done else { throw .library(operation: "make a certificate", .take()) }
        return (certificate, key)
    }

    /// Sets a serial number of 127 random bits: positive and at most 20 bytes (RFC 5280 section 4.1.2.2). Browsers
    /// refuse a second certificate with the same issuer and serial number, so it must not repeat.
    private static func setRandomSerial(_ certificate: OpaquePointer) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        // The length of the array is passed with it. `number` is freed here; the certificate owns its copy.
        guard unsafe RAND_bytes(&bytes, CInt(bytes.count)) == 1 else { return false }
        bytes[0] = bytes[0] & 0x7F | 0x40
        guard let number = unsafe BN_bin2bn(bytes, CInt(bytes.count), nil) else { return false }
        defer { unsafe BN_free(number) }
        return unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
    }

    private static func addName(_ field: String, _ value: String, to certificate: OpaquePointer) -> Bool {
        // The certificate owns the name; OpenSSL copies the text.
        unsafe X509_NAME_add_entry_by_txt(
            X509_get_subject_name(certificate), field, MBSTRING_UTF8, value, CInt(value.utf8.count), -1, 0) == 1
    }

    private static func addExtension(_ identifier: CInt, _ value: String, to certificate: OpaquePointer) -> Bool {
        // `context` is used by these two calls only. The certificate copies the extension, which is freed here.
        var context = unsafe X509V3_CTX()
        unsafe nn_X509V3_set_ctx(&context, certificate, certificate)
        guard let made = unsafe X509V3_EXT_nconf_nid(nil, &context, identifier, value) else { return false }
        defer { unsafe X509_EXTENSION_free(made) }
        return unsafe X509_add_ext(certificate, made, -1) == 1
    }
}
