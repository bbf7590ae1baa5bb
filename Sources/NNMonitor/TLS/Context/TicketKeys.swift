import COpenSSL
import Foundations
import NIOCore

/// The keys that encrypt session tickets (RFC 5077, RFC 8446 section 4.6.1), rotated by age.
///
/// A key encrypts tickets for one ticket lifetime and decrypts them for one more; the first handshake after that erases
/// it from memory. A key that lived as long as the process would undo forward secrecy: it decrypts every session whose
/// ticket it encrypted.
final class TicketKeys: Sendable {
    /// One generation: a name that identifies it in tickets, a key for AES-256 and a key for HMAC-SHA-256.
    struct Key: Sendable, Equatable {
        let name: [UInt8]
        let encryption: SecretBytes
        let authentication: SecretBytes

        static func random() throws(TLSError) -> Key {
            func bytes(_ count: Int) throws(TLSError) -> SecretBytes {
                unsafe try SecretBytes(count: count) { (target) throws(TLSError) in
                    OpenSSLErrorStack.clear()
                    // RAND_bytes fills exactly the target, which is valid for the duration of the closure.
                    guard unsafe RAND_bytes(target.baseAddress, CInt(target.count)) == 1 else {
                        throw .library(operation: "make random bytes", .take())
                    }
                }
            }
            let name = unsafe try bytes(16).withUnsafeBytes { unsafe [UInt8]($0) }
            return Key(name: name, encryption: try bytes(32), authentication: try bytes(32))
        }

        /// Compares the names, which are random and therefore unique.
        static func == (left: Key, right: Key) -> Bool { left.name == right.name }
    }

    private struct Generations {
        var current: Key
        var previous: Key?
        /// The time at which `current` was made, in seconds of `clock`.
        var since: Int

        /// Drops the previous key once it is too old to decrypt anything.
        mutating func dropExpired(lifetime: Int, now: Int) {
            if now - since >= lifetime { previous = nil }
        }
    }

    private let lifetime: Int
    /// Returns the time in seconds.
    fileprivate let clock: @Sendable () -> Int
    private let generations: Locked<Generations>

    /// Seconds of a monotonic clock: setting back the wall clock must not extend the life of a key.
    static var uptime: Int { Int(NIODeadline.now().uptimeNanoseconds / 1_000_000_000) }

    /// Makes the first key.
    ///
    /// - Parameters:
    ///   - lifetime: how long a key encrypts tickets, in seconds.
    ///   - clock: returns the time in seconds.
    /// - Throws: `.library` if OpenSSL has no random bytes.
    init(lifetime: Int, clock: @escaping @Sendable () -> Int = { uptime }) throws(TLSError) {
        self.lifetime = lifetime
        self.clock = clock
        generations = Locked(Generations(current: try .random(), previous: nil, since: clock()))
    }

    /// Returns the key that encrypts a new ticket, replacing the current key if it is older than one lifetime.
    ///
    /// - Returns: the key; `nil` if OpenSSL has no random bytes for a new one. No ticket is issued then.
    func encryptionKey(now: Int) -> Key? {
        generations.withLock { generations in
            let age = now - generations.since
            if age >= lifetime {
                guard let key = try? Key.random() else { return nil }
                // If no ticket was issued for two lifetimes, the current key is also too old to decrypt anything.
                generations.previous = age < 2 * lifetime ? generations.current : nil
                generations.current = key
                generations.since = now
            }
            return generations.current
        }
    }

    /// Returns the key that decrypts a ticket.
    ///
    /// - Parameters:
    ///   - name: the name of the key that encrypted the ticket.
    ///   - now: the time in seconds of `clock`.
    /// - Returns: the key, and whether the client should get a new ticket because the key no longer encrypts; `nil` if
    ///   the key is unknown or too old.
    func decryptionKey(name: [UInt8], now: Int) -> (key: Key, renew: Bool)? {
        generations.withLock { generations in
            generations.dropExpired(lifetime: lifetime, now: now)
            let age = now - generations.since
            if generations.current.name == name {
                return age < 2 * lifetime ? (generations.current, age >= lifetime) : nil
            }
            guard let previous = generations.previous, previous.name == name else { return nil }
            return (previous, true)
        }
    }

    /// Sets the ticket callback of a context. The context keeps an unretained pointer to this object, which must
    /// outlive the context and its connections.
    func install(in context: OpaquePointer) throws(TLSError) {
        guard unsafe nn_SSL_CTX_set_app_data(context, Unmanaged.passUnretained(self).toOpaque()) == 1,
            unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticketKeyCallback) == 1
        else { throw .library(operation: "set the ticket keys", .take()) }
    }
}

/// The callback for `SSL_CTX_set_tlsext_ticket_key_evp_cb`: AES-256-CBC, then HMAC-SHA-256 (RFC 5077 section 4).
///
/// `name` has 16 bytes, `initializationVector` has `EVP_MAX_IV_LENGTH` (16); all pointers are valid during the call.
/// Returns 1 to continue, 2 to continue and issue a new ticket, 0 to use no ticket, a negative number on errors.
private func ticketKeyCallback(
    _ ssl: OpaquePointer?,
    _ name: UnsafeMutablePointer<UInt8>?,
    _ initializationVector: UnsafeMutablePointer<UInt8>?,
    _ cipher: OpaquePointer?,
    _ mac: OpaquePointer?,
    _ isEncrypting: CInt
) -> CInt {
    guard let name = unsafe name, let initializationVector = unsafe initializationVector,
        let data = unsafe nn_SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))
    else { return -1 }
    let keys = unsafe Unmanaged<TicketKeys>.fromOpaque(data).takeUnretainedValue()
    let now = keys.clock()
    if isEncrypting == 1 {
        guard let key = keys.encryptionKey(now: now) else { return 0 }
        for (index, byte) in key.name.enumerated() { unsafe name[index] = byte }
        guard unsafe RAND_bytes(initializationVector, 16) == 1,
            unsafe key.encryption.withUnsafeBytes({
                unsafe EVP_EncryptInit_ex(
                    cipher, EVP_aes_256_cbc(), nil, $0.bindMemory(to: UInt8.self).baseAddress, initializationVector)
            }) == 1
        else { return -1 }
        return unsafe setAuthentication(key, mac) ? 1 : -1
    }
    let presented = unsafe Array(UnsafeBufferPointer(start: name, count: 16))
    guard let (key, renew) = keys.decryptionKey(name: presented, now: now) else { return 0 }
    let isSet = unsafe key.encryption.withUnsafeBytes {
        unsafe EVP_DecryptInit_ex(
            cipher, EVP_aes_256_cbc(), nil, $0.bindMemory(to: UInt8.self).baseAddress, initializationVector)
    }
    guard isSet == 1, unsafe setAuthentication(key, mac)
    else { return -1 }
    return renew ? 2 : 1
}

private func setAuthentication(_ key: TicketKeys.Key, _ mac: OpaquePointer?) -> Bool {
    // OpenSSL copies the key.
    unsafe key.authentication.withUnsafeBytes {
        unsafe nn_EVP_MAC_CTX_set_hmac_sha256(mac, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)
    } == 1
}
