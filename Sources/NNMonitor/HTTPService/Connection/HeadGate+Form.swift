import Foundations
import NIOHTTP1

extension HeadGate {
    /// Headers that must be unique: proxies disagree about duplicates (request smuggling). The decoder checks
    /// `Content-Length`.
    private static let single: [(name: String, lowercased: StaticString)] = [
        ("Host", "host"), ("Authorization", "authorization"), ("Content-Type", "content-type"), ("Origin", "origin"),
    ]

    /// Rejects a head that is malformed or ambiguous (RFC 9112 sections 3.2 and 6).
    func refusalOfForm(_ head: HTTPRequestHead) -> Admission? {
        let headers = head.headers
        if let field = Self.single.first(where: { headers.count(of: $0.lowercased) > 1 }) {
            return Self.malformed("There must be one \(field.name) header")
        }
        if headers.contains(where: { Self.isFramingInDisguise($0.name) }) {
            return Self.malformed("Content-Length and Transfer-Encoding must be written with a hyphen")
        }
        return self.refusalOfFraming(head)
    }

    /// Whether a CGI-like gateway would treat `name` as a framing header: it maps `Transfer_Encoding` and
    /// `Transfer-Encoding` to the same variable `HTTP_TRANSFER_ENCODING` (RFC 3875 section 4.1.18). Servers disagree
    /// about such names, so they are rejected.
    private static func isFramingInDisguise(_ name: String) -> Bool {
        let bytes = name.utf8
        let framing: String
        switch bytes.count {
        case 14: framing = "content-length"
        case 17: framing = "transfer-encoding"
        default: return false
        }
        guard bytes.contains(UInt8(ascii: "_")) else { return false }
        return zip(bytes, framing.utf8).allSatisfy { byte, expected in
            byte | 0x20 == expected || (byte == UInt8(ascii: "_") && expected == UInt8(ascii: "-"))
        }
    }

    /// Rejects expectations other than `100-continue` (RFC 9110 section 10.1.1).
    func refusalOfExpectation(_ head: HTTPRequestHead) -> Admission? {
        guard !head.isHTTP10, head.headers.contains(name: "expect") else { return nil }
        let expectations = head.headers["expect"]
        if expectations.count == 1, expectations[0].trimmed.lowercased() == "100-continue" { return nil }
        return .answer(
            .error(
                .expectationFailed, code: "expectation_failed",
                message: "The only expectation understood here is 100-continue"))
    }

    /// Rejects ambiguous framing, with which requests are smuggled past a proxy (RFC 9112 section 11.2).
    private func refusalOfFraming(_ head: HTTPRequestHead) -> Admission? {
        let headers = head.headers
        let codings = headers["transfer-encoding"]
        guard !codings.isEmpty else { return nil }
        if headers.contains(name: "content-length") {
            return Self.malformed("Transfer-Encoding and Content-Length exclude each other")
        }
        if head.isHTTP10 { return Self.malformed("HTTP/1.0 has no Transfer-Encoding") }
        // Compare bytes: Unicode lowercases the Kelvin sign to `k`.
        let coding = codings[0].trimmed.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        if codings.count == 1, coding.elementsEqual("chunked".utf8) { return nil }
        // Servers disagree about empty list elements.
        let names = codings.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        if names.contains(where: { $0.trimmed.isEmpty }) {
            return Self.malformed("The Transfer-Encoding is not valid")
        }
        return .answerAndClose(
            .error(
                .notImplemented, code: "not_implemented",
                message: "The only Transfer-Encoding understood here is chunked"))
    }

    /// Rejects a request for another host, by `Host` and by the authority of a target in absolute form.
    func refusalOfHost(_ head: HTTPRequestHead, target: RequestTarget, secure: Bool) -> Admission? {
        let defaultPort = secure ? 443 : 80
        var authority: Authority?
        if let host = head.headers.first(name: "host") {
            authority = Authority(host.trimmed, defaultPort: defaultPort)
            guard authority != nil else { return Self.malformed("The Host header is not valid") }
        } else if !head.isHTTP10 {
            return Self.malformed("The Host header is missing")
        }
        if let origin = target.origin {
            guard let named = Authority(origin.authority, defaultPort: defaultPort), !named.name.isEmpty else {
                return Self.malformed("The request's target names no valid host")
            }
            // The target has precedence (RFC 9112 section 3.2.2), but a proxy may have used the header.
            guard authority == nil || authority == named else {
                return Self.malformed("The request's target and the Host header name different hosts")
            }
            guard origin.isSecure == secure else {
                return Self.misdirected(
                    "The target begins with \(origin.isSecure ? "https" : "http"):, and this connection is "
                        + "\(secure ? "TLS" : "plain HTTP"): use \(secure ? "https" : "http")://")
            }
            authority = named
        }
        if let names = self.configuration.allowedHosts, let authority, !authority.isAllowed(names: names) {
            let others = names.sorted().map { ", \($0)" }.joined()
            return Self.misdirected(
                "This server asks for no token and so does not answer by the name '\(authority.name)', but by IP addresses, "
                    + "localhost, names below .localhost\(others). Use one of these, or set NN_MONITOR_AUTH_TOKEN or "
                    + "NN_MONITOR_AUTH_TOKENS_FILE: then every name is answered")
        }
        return nil
    }

    private static func malformed(_ reason: String) -> Admission {
        .answerAndClose(RequestFailure.malformed(reason).response)
    }

    private static func misdirected(_ reason: String) -> Admission {
        .answerAndClose(.error(.misdirectedRequest, code: "misdirected_request", message: reason))
    }
}
