/// The fields that are forbidden in a trailer (RFC 9110 section 6.5.1), because they affect framing, routing or
/// authorization, which precede the body. The server ignores other trailer fields.
enum TrailerFields {
    private static let forbidden: Set<String> = [
        "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-range",
        "content-type", "cookie", "expect", "host", "max-forwards", "origin", "proxy-authorization", "range", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    static func isForbidden(_ name: String) -> Bool { forbidden.contains(name.lowercased()) }
}
