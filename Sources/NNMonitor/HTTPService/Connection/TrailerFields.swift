import NIOHTTP1

/// The fields that must not stand in a trailer (RFC 9110 §6.5.1): who has them in mind only when the body is over has
/// already read it, or routed it, or let it in. What else is there is thrown away.
enum TrailerFields {
    private static let forbidden: Set<String> = [
        "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-range",
        "content-type", "cookie", "expect", "host", "max-forwards", "origin", "proxy-authorization", "range", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    static func areForbidden(_ trailers: HTTPHeaders) -> Bool {
        trailers.contains { Self.forbidden.contains($0.name.lowercased()) }
    }
}
