/// A version of the TLS protocol that this module speaks. Older ones are refused (RFC 8996).
package enum TLSVersion: Int32, Sendable, Hashable, CaseIterable, Comparable {
    /// TLS 1.2, RFC 5246; only with forward-secret AEAD suites.
    case v1_2 = 0x0303
    /// TLS 1.3, RFC 8446.
    case v1_3 = 0x0304

    package static func < (left: TLSVersion, right: TLSVersion) -> Bool {
        left.rawValue < right.rawValue
    }
}
