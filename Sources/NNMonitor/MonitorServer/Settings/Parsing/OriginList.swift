import Foundations
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The value of `CORS_ORIGINS`: a JSON list of origins, or origins separated by commas.
enum OriginList {
    /// The origins in the form that browsers send (RFC 6454 §6.1: scheme and host in lower case, no default port),
    /// without duplicates. An empty list allows no origin. `nil` if a member is not an origin.
    static func parse(_ text: String) -> [String]? {
        let trimmed = text.trimmed
        let members: [String]
        if trimmed.hasPrefix("[") {
            guard let list = try? JSONDecoder().decode([String].self, from: Data(trimmed.utf8)) else { return nil }
            members = list
        } else if trimmed.isEmpty {
            members = []
        } else {
            members = trimmed.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }

        var origins: [String] = []
        for member in members {
            guard let origin = canonical(member.trimmed) else { return nil }
            if !origins.contains(origin) { origins.append(origin) }
        }
        return origins
    }

    /// `*`, or `scheme://host[:port]` with nothing after it, in canonical form.
    private static func canonical(_ text: String) -> String? {
        if text == "*" { return text }
        guard let separator = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard let first = scheme.utf8.first, (0x61...0x7A).contains(first),
            scheme.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0)
            })
        else { return nil }

        let authority = text[separator.upperBound...].lowercased()
        let host: String
        var rest: Substring
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            let literal = String(authority[authority.index(after: authority.startIndex)..<end])
            guard literal.contains(":"), (try? SocketAddress(ipAddress: literal, port: 0)) != nil else { return nil }
            host = "[\(literal)]"
            rest = authority[authority.index(after: end)...]
        } else {
            host = String(authority.prefix { $0 != ":" })
            guard ListeningHost.isValid(host) else { return nil }
            rest = authority.dropFirst(host.count)
        }

        guard !rest.isEmpty else { return "\(scheme)://\(host)" }
        guard rest.removeFirst() == ":", (1...5).contains(rest.utf8.count),
            rest.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(rest), (1...65535).contains(port)
        else { return nil }
        let isDefaultPort = (scheme == "http" && port == 80) || (scheme == "https" && port == 443)
        return isDefaultPort ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
    }
}
