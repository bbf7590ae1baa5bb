import NIOCore

/// Who a request is for: the value of `Host`, or the authority of a target in absolute form (RFC 9110 §7.2, RFC 3986
/// §3.2). Without user information, which such a target must not have (RFC 9110 §4.2.4).
struct Authority: Equatable, Sendable {
    /// In lower case; an IPv6 address with its brackets. Empty where the target has no authority.
    let name: String
    /// Nil for the scheme's own.
    let port: Int?

    /// Nil when `text` is not well formed. Of what a URI allows in a name only letters, digits, `.`, `-` and `_` are
    /// taken: no host is called otherwise, and an escape would be read by one server and not by another.
    /// - Parameters:
    ///   - text: As sent, without white space around it.
    ///   - defaultPort: The port that may be left out.
    init?(_ text: some StringProtocol, defaultPort: Int) {
        let name: Substring
        var rest = Substring(text)
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            name = rest[...end]
            rest = rest[rest.index(after: end)...]
            guard case .v6? = try? SocketAddress(ipAddress: String(name.dropFirst().dropLast()), port: 0),
                name.utf8.allSatisfy({ $0 != UInt8(ascii: "%") })
            else { return nil }
        } else {
            name = rest.prefix { $0 != ":" }
            rest = rest[name.endIndex...]
            guard name.utf8.allSatisfy(Self.isNameByte) else { return nil }
        }
        var port: Int?
        if let colon = rest.first {
            let digits = rest.dropFirst()
            guard colon == ":", !name.isEmpty, digits.utf8.count <= 5,
                digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            else { return nil }
            port = Int(digits)
            guard port ?? 0 <= 65_535 else { return nil }
        }
        self.name = name.lowercased()
        self.port = port == defaultPort ? nil : port
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Whether this is an address, `localhost` or a name below it, or one of `names`.
    func isAllowed(names: Set<String>) -> Bool {
        if self.name.hasPrefix("[") || self.name == "localhost" || self.name.hasSuffix(".localhost") { return true }
        if names.contains(self.name) { return true }
        let parts = self.name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}
