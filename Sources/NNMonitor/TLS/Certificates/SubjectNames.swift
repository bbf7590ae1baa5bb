import COpenSSL

/// The validated names of a certificate. Validation matters because they become comma-separated text in an extension: a
/// name that contained a comma would add another name.
struct SubjectNames {
    /// DNS names, each once.
    let hostNames: [String]
    /// IPv4 and IPv6 addresses without a zone, each once.
    let addresses: [String]

    /// Validates the names and removes duplicates.
    ///
    /// - Throws: `.invalidName` for the first invalid name, or if there is no name at all.
    init(hostNames: [String], addresses: [String]) throws(TLSError) {
        var names: [String] = []
        for name in hostNames where !names.contains(name) {
            guard Self.isHostName(name) else { throw .invalidName(name) }
            names.append(name)
        }
        var withoutZone: [String] = []
        for address in addresses {
            let bare = String(address.prefix { $0 != "%" })
            guard Self.isAddress(bare) else { throw .invalidName(address) }
            if !withoutZone.contains(bare) { withoutZone.append(bare) }
        }
        self.hostNames = names
        self.addresses = withoutZone
        guard let first = names.first ?? withoutZone.first, !first.isEmpty else { throw .invalidName("") }
    }

    /// The value of the extension `subjectAltName` in OpenSSL's syntax.
    var alternativeName: String {
        (hostNames.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }).joined(separator: ",")
    }

    /// Returns true for labels of 1 to 63 letters, digits, hyphens and underscores, 253 bytes in total.
    private static func isHostName(_ name: String) -> Bool {
        guard name.utf8.count <= 253 else { return false }
        return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count)
                && label.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }

    private static func isAddress(_ text: String) -> Bool {
        defer { OpenSSLErrorStack.clear() }
        // OpenSSL copies the text; the result is freed here.
        guard let address = unsafe a2i_IPADDRESS(text) else { return false }
        unsafe ASN1_OCTET_STRING_free(address)
        return true
    }
}
