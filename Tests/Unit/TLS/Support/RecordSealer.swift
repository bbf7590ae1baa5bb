import COpenSSL
import NIOCore
import Testing

/// Encrypts TLS 1.3 records of any type and content with a client's keys, including those that no TLS library sends.
///
/// It supports `TLS_AES_128_GCM_SHA256` and starts with the first record after the handshake (RFC 8446 sections 5.2,
/// 7.3).
struct RecordSealer {
    private let key: [UInt8]
    private let vector: [UInt8]
    private var sequence: UInt64 = 0

    /// Derives the keys; `secret` is `CLIENT_TRAFFIC_SECRET_0` of the client's key log.
    init(secret: [UInt8]) throws {
        key = try Self.expand(secret, label: "key", count: 16)
        vector = try Self.expand(secret, label: "iv", count: 12)
    }

    /// Encrypts a record; `type` is the inner content type, followed by `padding` zeros. `content` may be empty or too
    /// long.
    mutating func seal(_ type: UInt8, _ content: [UInt8], padding: Int = 0) throws -> ByteBuffer {
        let inner = content + [type] + [UInt8](repeating: 0, count: padding)
        let length = inner.count + 16
        let header: [UInt8] = [23, 3, 3, UInt8(length >> 8), UInt8(length & 255)]
        var nonce = vector
        for index in 0..<8 { nonce[4 + index] ^= UInt8(truncatingIfNeeded: sequence >> UInt64(8 * (7 - index))) }
        sequence += 1
        let context = try #require(EVP_CIPHER_CTX_new())
        defer { EVP_CIPHER_CTX_free(context) }
        var sealed = [UInt8](repeating: 0, count: inner.count)
        var tag = [UInt8](repeating: 0, count: 16)
        var count: Int32 = 0
        try #require(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nil, key, nonce) == 1)
        try #require(EVP_EncryptUpdate(context, nil, &count, header, 5) == 1)
        try #require(EVP_EncryptUpdate(context, &sealed, &count, inner, Int32(inner.count)) == 1)
        try #require(EVP_EncryptFinal_ex(context, nil, &count) == 1)
        try #require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1)
        return ByteBuffer(bytes: header + sealed + tag)
    }

    /// Computes HKDF-Expand-Label with an empty context, for up to 32 bytes: one round of HMAC (RFC 5869 section 2.3).
    private static func expand(_ secret: [UInt8], label: String, count: Int) throws -> [UInt8] {
        let label = Array("tls13 \(label)".utf8)
        let info: [UInt8] = [0, UInt8(count), UInt8(label.count)] + label + [0, 1]
        var output = [UInt8](repeating: 0, count: 32)
        var length = 0
        let made = EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, secret, secret.count, info, info.count, &output, output.count, &length)
        try #require(made != nil && length == 32)
        return Array(output.prefix(count))
    }
}
