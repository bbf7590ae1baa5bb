import COpenSSL

/// Base64 with padding (RFC 4648 section 4), computed by OpenSSL.
package enum Base64 {
    /// Encodes bytes.
    ///
    /// - Parameter bytes: any number that fits in a `CInt`.
    /// - Returns: four characters for each three bytes.
    package static func encode(_ bytes: [UInt8]) -> String {
        // EVP_EncodeBlock writes four characters for each three bytes, and a terminating zero.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let length = unsafe EVP_EncodeBlock(&text, bytes, CInt(bytes.count))
        return String(decoding: text.prefix(Int(length)), as: UTF8.self)
    }
}
