import Foundations
import NIOCore
import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What an attempt to send a message came to.
enum DeliveryOutcome: Sendable, Equatable {
    /// The receiver accepted the message.
    case delivered
    /// The receiver refused the message, and would do so again. The text is a sentence with what to do.
    case refused(String)
    /// The attempt failed, and another one may succeed. The text is a clause without the receiver as its subject.
    case failed(String, retryAfter: TimeAmount?)

    /// The outcome that a response means.
    ///
    /// - Parameters:
    ///   - head: the head of the response.
    ///   - now: seconds since 1970, UTC.
    init(_ head: HTTPResponseHead, now: Int = Int(time(nil))) {
        let code = head.status.code
        switch code {
        case 200...299: self = .delivered
        case 408, 425, 429, 500...599:
            self = .failed("answered \(code)", retryAfter: Self.retryAfter(head.headers, now: now))
        case 300...399:
            let host = head.headers.first(name: "Location").flatMap { try? WebAddress($0) }?.host
            self = .refused(
                "it redirects (\(code))\(host.map { " to the host \($0)" } ?? "") and redirects are not followed: "
                    + "set its final address in ALERT_WEBHOOKS")
        case 401, 403, 407:
            self = .refused("it answered \(code): check the credentials in its address in ALERT_WEBHOOKS")
        case 404, 410:
            self = .refused("it answered \(code): the address in ALERT_WEBHOOKS does not exist or was revoked there")
        case 400, 415, 422:
            self = .refused("it answered \(code): check that its format in ALERT_WEBHOOKS is the one that it expects")
        default: self = .refused("it answered \(code): check its address in ALERT_WEBHOOKS")
        }
    }

    /// The time of `Retry-After` (RFC 9110 section 10.2.3): seconds, also with a fraction, or a date.
    private static func retryAfter(_ headers: HTTPHeaders, now: Int) -> TimeAmount? {
        guard let text = headers.first(name: "Retry-After")?.trimmed else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }), let seconds = Double(text) {
            // A day is more than any wait.
            return .milliseconds(Int64(min(seconds, 86_400) * 1000))
        }
        guard let date = HTTPDate.parse(text) else { return nil }
        return .seconds(Int64(min(max(0, date - now), 86_400)))
    }
}
