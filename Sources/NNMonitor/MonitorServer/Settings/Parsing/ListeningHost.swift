import NIOCore

/// The syntax of `HOST`: an IPv4 or IPv6 literal, or a host name.
enum ListeningHost {
    static func isValid(_ text: String) -> Bool {
        isAddress(text) || isName(text)
    }

    /// Whether this is an IPv4 literal, or an IPv6 literal without brackets and with an optional zone (`fe80::1%eth0`).
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard text.contains(":"), !parts[1].isEmpty, parts[1].utf8.allSatisfy({ $0.isNameByte || $0 == dot })
            else { return false }
        }
        return parts.first.map { (try? SocketAddress(ipAddress: String($0), port: 0)) != nil } ?? false
    }

    /// Whether this is a name of labels of 1 to 63 letters, digits, `-` and `_` that do not begin or end with `-`, at
    /// most 253 bytes in total (RFC 1123 §2.1, plus the underscore that container networks use). Text of only digits
    /// and dots is not a name but a mistyped address.
    private static func isName(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count),
            !text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == dot })
        else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy(\.isNameByte)
                && label.utf8.first != dash && label.utf8.last != dash
        }
    }

    private static let dot = UInt8(ascii: ".")
    fileprivate static let dash = UInt8(ascii: "-")
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
