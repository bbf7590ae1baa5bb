import NIOCore

/// The key that identifies a client wherever a limit applies per address.
package enum ClientAddress {
    /// The key of an address. An IPv6 address counts by its /64, because one client commonly owns all of it. An
    /// IPv4-mapped address of a dual-stack socket (`::ffff:a.b.c.d`) counts whole.
    package static func key(_ peer: String) -> String {
        guard peer.utf8.contains(UInt8(ascii: ":")),
            case .v6(let address)? = try? SocketAddress(ipAddress: peer, port: 0)
        else { return peer }
        // `sockaddr_in6`: 2 bytes of family, 2 of port, 4 of flow label, then the 16 of the address (RFC 3493 section
        // 3.3). The pointer is valid during the closure, which copies the bytes.
        let bytes = unsafe withUnsafeBytes(of: address.address) { unsafe Array($0[8..<24]) }
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        return (isMapped ? bytes[...] : bytes.prefix(8)).map { String($0, radix: 16) }.joined(separator: ":")
    }
}
