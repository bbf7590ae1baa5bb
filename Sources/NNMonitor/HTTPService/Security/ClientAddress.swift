import NIOCore

/// What counts as one client address wherever a limit applies to each address.
package enum ClientAddress {
    /// The key of an address. An IPv6 address counts by its /64, because one client commonly owns all of it; an IPv4
    /// address on a dual-stack socket (`::ffff:a.b.c.d`) counts whole.
    package static func key(_ peer: String) -> String {
        guard peer.utf8.contains(UInt8(ascii: ":")),
            case .v6(let address)? = try? SocketAddress(ipAddress: peer, port: 0)
        else { return peer }
        // `sockaddr_in6` is two bytes of family, two of port, four of flow label, then the address's 16 (RFC 3493 §3.3).
        // The pointer is valid during the call, which copies the bytes.
        let bytes = unsafe withUnsafeBytes(of: address.address) { unsafe Array($0[8..<24]) }
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        return (isMapped ? bytes[...] : bytes.prefix(8)).map { String($0, radix: 16) }.joined(separator: ":")
    }
}
