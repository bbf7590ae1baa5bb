import NIOCore
import TLS

/// An absolute address of HTTP or HTTPS, as a setting names it. It may contain secrets: it is never printed.
package struct WebAddress: Sendable {
    /// Why a text is no address. The description continues a sentence and contains nothing of the text.
    package enum Problem: Error, Equatable, CustomStringConvertible {
        /// It does not begin with `http://` or `https://`.
        case scheme
        /// It has no host, or an impossible one.
        case host
        /// The port is no number from 1 to 65535.
        case port
        /// It contains white space, control characters or characters outside ASCII.
        case character
        /// The user or the password is not percent-encoded UTF-8.
        case user

        /// What to do.
        package var description: String {
            switch self {
            case .scheme: "its address must begin with https:// or http://"
            case .host: "its address needs a host name or IP address after the scheme"
            case .port: "the port in its address must be a number from 1 to 65535"
            case .character: "percent-encode every character in its address that is not visible ASCII"
            case .user: "percent-encode the user and the password in its address"
            }
        }
    }

    /// Whether the scheme is HTTPS.
    package let isSecure: Bool
    /// The host name in lower case, or the IP address without brackets.
    package let host: String
    /// The port.
    package let port: Int
    /// Path and query, which begin with a slash.
    package let target: String
    /// The value of `Authorization` for the user and password of the address; `nil` if there are none.
    package let authorization: String?
    /// Whether the text had a fragment, which is not part of `target`.
    package let hasFragment: Bool

    /// Parses an address.
    ///
    /// - Parameter text: scheme, `://`, an optional `user:password@`, host, optional port, path and query.
    /// - Throws: why it is none.
    package init(_ text: String) throws(Problem) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .character }
        guard let separator = text.firstRange(of: "://") else { throw .scheme }
        switch text[..<separator.lowerBound].lowercased() {
        case "https": isSecure = true
        case "http": isSecure = false
        default: throw .scheme
        }
        let rest = text[separator.upperBound...]
        let authorityEnd = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        var authority = rest[..<authorityEnd]
        if let at = authority.lastIndex(of: "@") {
            authorization = try Self.authorization(of: authority[..<at])
            authority = authority[authority.index(after: at)...]
        } else {
            authorization = nil
        }
        (host, port) = try Self.hostAndPort(in: authority, isSecure: isSecure)
        let tail = rest[authorityEnd...]
        let target = tail.prefix { $0 != "#" }
        hasFragment = target.endIndex < tail.endIndex
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
    }

    private init(_ address: WebAddress, target: String) {
        isSecure = address.isSecure
        host = address.host
        port = address.port
        authorization = address.authorization
        hasFragment = address.hasFragment
        self.target = target
    }

    /// The same address with another path and query.
    package func with(target: String) -> WebAddress { WebAddress(self, target: target) }

    /// The path, without the query.
    package var path: Substring { target.prefix { $0 != "?" } }

    /// The query with its question mark; empty if there is none.
    package var query: Substring { target.dropFirst(path.count) }

    /// Host and port as in the header `Host` (RFC 9110 section 7.2).
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    private static func hostAndPort(
        in authority: Substring, isSecure: Bool
    ) throws(Problem) -> (host: String, port: Int) {
        let host: Substring
        var rest: Substring
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            rest = authority[authority.index(after: end)...]
            guard host.contains(":"), (try? SocketAddress(ipAddress: String(host), port: 0)) != nil else { throw .host }
        } else {
            host = authority.prefix { $0 != ":" }
            rest = authority[host.endIndex...]
            guard isHostName(host) else { throw .host }
        }
        guard !rest.isEmpty else { return (host.lowercased(), isSecure ? 443 : 80) }
        guard rest.removeFirst() == ":", (1...5).contains(rest.utf8.count),
            rest.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(rest), (1...65535).contains(port)
        else { throw .port }
        return (host.lowercased(), port)
    }

    /// Whether this is a host name or an IPv4 address. Text of only digits and dots is no name but a mistyped address.
    private static func isHostName(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) {
            return (try? SocketAddress(ipAddress: String(text), port: 0)) != nil
        }
        let name = text.hasSuffix(".") ? text.dropLast() : text
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy { isNameByte($0) }
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The value of `Authorization` (RFC 7617 section 2) for the percent-encoded `user:password`.
    private static func authorization(of text: Substring) throws(Problem) -> String {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = parts.first.flatMap(decoded), let password = parts.count > 1 ? decoded(parts[1]) : [],
            // A user name cannot contain a colon, which separates it from the password.
            !user.contains(UInt8(ascii: ":"))
        else { throw .user }
        return "Basic " + Base64.encode(user + [UInt8(ascii: ":")] + password)
    }

    /// Removes the percent-encoding.
    private static func decoded(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: Array(rest.prefix(2)), as: UTF8.self), radix: 16)
            else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        return bytes
    }
}

extension WebAddress: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A placeholder, so that no log line contains the secrets of an address.
    package var description: String { "<address>" }
    /// A placeholder.
    package var debugDescription: String { description }
    /// Nothing.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
