import NIOCore

/// The host and port of a request: the value of `Host`, or the authority of a target in absolute form (RFC 9110 section
/// 7.2, RFC 3986 section 3.2). User information is invalid (RFC 9110 section 4.2.4).
struct Authority: Equatable, Sendable {
    /// The host in lower case; an IPv6 address keeps its brackets. Empty if the target has no authority.
    let name: String
    /// The port; nil for the scheme's default port.
    private(set) var port: Int?

    /// Parses an authority; nil if it is malformed. A name may contain only letters, digits, `.`, `-` and `_`: host
    /// names contain nothing else, and servers disagree about percent-encoded names.
    ///
    /// - Parameters:
    ///   - text: the authority as sent, without surrounding white space.
    ///   - defaultPort: the scheme's default port.
    init?(_ text: String, defaultPort: Int) {
        let bytes = text.utf8
        let isAddress = bytes.first == UInt8(ascii: "[")
        let end =
            isAddress
            ? bytes.firstIndex(of: UInt8(ascii: "]")).map(bytes.index(after:))
            : bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        guard let end, isAddress || bytes[..<end].allSatisfy(\.isHostByte) else { return nil }
        let name = text[..<end].lowercased()
        if isAddress {
            guard case .v6? = try? SocketAddress(ipAddress: String(name.dropFirst().dropLast()), port: 0),
                !name.utf8.contains(UInt8(ascii: "%"))
            else { return nil }
        }
        self.name = name
        self.port = nil
        guard end != bytes.endIndex else { return }
        let digits = bytes[end...].dropFirst()
        guard bytes[end] == UInt8(ascii: ":"), !name.isEmpty, digits.count <= 5, digits.allSatisfy(\.isDigit) else {
            return nil
        }
        let port = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard port <= 65_535 else { return nil }
        self.port = digits.isEmpty || port == defaultPort ? nil : port
    }

    /// Whether the host is an IP address, `localhost`, a name below `localhost`, or one of `names`.
    func isAllowed(names: Set<String>) -> Bool {
        if self.name.hasPrefix("[") || self.name == "localhost" || self.name.hasSuffix(".localhost") { return true }
        if names.contains(self.name) { return true }
        return self.isIPv4
    }

    /// Whether the host is four decimal numbers up to 255 with points between them. Runs for every request, so it
    /// allocates no array.
    private var isIPv4: Bool {
        var rest = self.name[...]
        for _ in 0..<3 {
            guard let point = rest.utf8.firstIndex(of: UInt8(ascii: ".")), UInt8(rest[..<point]) != nil else {
                return false
            }
            rest = rest[rest.utf8.index(after: point)...]
        }
        return UInt8(rest) != nil
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    fileprivate var isHostByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: self.isDigit
        }
    }
}
