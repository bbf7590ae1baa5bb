import NIOHTTP1

extension HeadGate {
    /// Rejects expectations other than `100-continue` (RFC 9110 section 10.1.1).
    func refusalOfExpectation(_ head: RequestHead) -> Admission? {
        guard !head.isHTTP10, head.headers.contains(name: "expect") else { return nil }
        let expectations = head.headers["expect"]
        if expectations.count == 1, expectations[0].lowercased() == "100-continue" { return nil }
        return .answer(
            .error(
                .expectationFailed, code: "expectation_failed",
                message: "The only supported Expect is 100-continue"))
    }

    /// Rejects a request for another host, by `Host` and by the authority of a target in absolute form.
    func refusalOfHost(_ head: RequestHead, target: RequestTarget, secure: Bool) -> Admission? {
        let defaultPort = secure ? 443 : 80
        var authority: Authority?
        if let host = head.headers.first(name: "host") {
            authority = Authority(host, defaultPort: defaultPort)
            guard authority != nil else { return Self.malformed("The Host header is not valid") }
        } else if !head.isHTTP10 {
            return Self.malformed("The Host header is missing")
        }
        if let origin = target.origin {
            guard let named = Authority(origin.authority, defaultPort: defaultPort), !named.name.isEmpty else {
                return Self.malformed("The host in the request's target is not valid")
            }
            // The target has precedence (RFC 9112 section 3.2.2), but a proxy may have used the header.
            guard authority == nil || authority == named else {
                return Self.malformed("The request's target and the Host header name different hosts")
            }
            guard origin.isSecure == secure else {
                return Self.misdirected(
                    "The target begins with \(origin.isSecure ? "https" : "http"):, but this connection is "
                        + "\(secure ? "TLS" : "plain HTTP"): use \(secure ? "https" : "http")://")
            }
            authority = named
        }
        if let names = self.configuration.allowedHosts, let authority, !authority.isAllowed(names: names) {
            let others = names.sorted().map { ", \($0)" }.joined()
            return Self.misdirected(
                "A server that requires no token does not accept the host name '\(authority.name)'. Use an IP address, "
                    + "localhost\(others) or a name below .localhost; or set NN_MONITOR_AUTH_TOKEN or "
                    + "NN_MONITOR_AUTH_TOKENS_FILE: then the server accepts every host name")
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
