/// A supported version of the TLS protocol. Older versions are deprecated (RFC 8996) and refused.
///
/// The raw value is the version number on the wire.
package enum TLSVersion: Int32, Sendable, Hashable, CaseIterable {
    /// TLS 1.2, RFC 5246; only with forward-secret AEAD suites.
    case v1_2 = 0x0303
    /// TLS 1.3, RFC 8446.
    case v1_3 = 0x0304
}
