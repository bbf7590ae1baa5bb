import COpenSSL

/// The names that a certificate is for, checked: they go into an extension's text, where a comma begins the next name.
struct SubjectNames {
    /// DNS names, each once.
    let hostNames: [String]
    /// IPv4 and IPv6 addresses without a zone, each once.
    let addresses: [String]

    init(hostNames: [String], addresses: [String]) throws(TLSError) {
        var names: [String] = []
        for name in hostNames where !names.contains(name) {
            guard Self.isHostName(name) else { throw .invalidName(name) }
            names.append(name)
        }
        var plain: [String] = []
        for address in addresses {
            let bare = String(address.prefix { $0 != "%" })
            guard Self.isAddress(bare) else { throw .invalidName(address) }
            if !plain.contains(bare) { plain.append(bare) }
        }
        self.hostNames = names
        self.addresses = plain
        guard let first = names.first ?? plain.first, !first.isEmpty else { throw .invalidName("") }
    }

    /// The value of the extension `subjectAltName` in OpenSSL's notation.
    var alternativeName: String {
        (hostNames.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }).joined(separator: ",")
    }

    /// Letters, digits, hyphens and underscores in labels of 1 to 63, 253 in all.
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
        // The text is lent for the call. What the call makes is ours, and freed at once.
        guard let address = unsafe a2i_IPADDRESS(text) else { return false }
        unsafe ASN1_OCTET_STRING_free(address)
        return true
    }
}
