import NIOHTTP1

extension HeadGate {
    /// What is wrong with a head as HTTP/1.x (RFC 9112 §3.2, §6), if anything.
    func refusalOfForm(_ head: HTTPRequestHead) -> Admission? {
        func malformed(_ reason: String) -> Admission {
            .answerAndClose(RequestFailure.malformed(reason).response)
        }
        guard head.uri.utf8.count <= self.configuration.maximumTargetSize else {
            return .answerAndClose(RequestFailure.targetTooLong.response)
        }
        let headers = head.headers
        let hosts = headers["host"]
        if hosts.count > 1 { return malformed("There must be one Host header") }
        if hosts.isEmpty, !head.isHTTP10 { return malformed("The Host header is missing") }
        if let host = hosts.first {
            guard HostHeader.isWellFormed(host) else { return malformed("The Host header is not valid") }
            if let names = self.configuration.allowedHosts, !HostHeader.isAllowed(host, names: names) {
                return .answerAndClose(
                    .error(
                        .misdirectedRequest, code: "misdirected_request",
                        message: "This server doesn't answer by that name"))
            }
        }
        let codings = headers[canonicalForm: "transfer-encoding"]
        if !codings.isEmpty {
            // Two ways to tell the end are how requests are smuggled past a proxy (RFC 9112 §11.2).
            if headers.contains(name: "content-length") {
                return malformed("Transfer-Encoding and Content-Length exclude each other")
            }
            if head.isHTTP10 { return malformed("HTTP/1.0 has no Transfer-Encoding") }
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                return .answerAndClose(
                    .error(
                        .notImplemented, code: "not_implemented",
                        message: "The only Transfer-Encoding understood here is chunked"))
            }
        }
        if Set(headers["content-length"]).count > 1 { return malformed("There are two values of Content-Length") }
        if !head.isHTTP10, headers.contains(name: "expect") {
            let expectations = headers["expect"]
            guard expectations.count == 1, expectations[0].trimmed.lowercased() == "100-continue" else {
                return .answer(
                    .error(
                        .expectationFailed, code: "expectation_failed",
                        message: "The only expectation understood here is 100-continue"))
            }
        }
        return nil
    }
}
