import COpenSSL
import Foundations
import NIOCore

/// The keys that seal session tickets (RFC 5077, RFC 8446 §4.6.1), renewed as time goes by.
///
/// A ticket key that lives as long as the process would undo forward secrecy: who learns it can read every session it
/// sealed. So a key seals for one ticket lifetime, opens for one more, and opens nothing after that. The first handshake
/// after that wipes it from memory.
final class TicketKeys: Sendable {
    /// One generation: a name to find it by, a key to encrypt with and a key to authenticate with.
    struct Key: Sendable, Equatable {
        let name: [UInt8]
        let encryption: SecretBytes
        let authentication: SecretBytes

        static func random() throws(TLSError) -> Key {
            func bytes(_ count: Int) throws(TLSError) -> SecretBytes {
                unsafe try SecretBytes(count: count) { (target) throws(TLSError) in
                    OpenSSLErrorStack.clear()
                    // The call fills exactly the target, which is valid until the closure ends.
                    guard unsafe RAND_bytes(target.baseAddress, CInt(target.count)) == 1 else {
                        throw .library(operation: "make random bytes", .take())
                    }
                }
            }
            let name = unsafe try bytes(16).withUnsafeBytes { unsafe [UInt8]($0) }
            return Key(name: name, encryption: try bytes(32), authentication: try bytes(32))
        }

        /// Names are random: keys of the same name are the same.
        static func == (left: Key, right: Key) -> Bool { left.name == right.name }
    }

    private struct Generations {
        var current: Key
        var previous: Key?
        var since: Int

        /// Lets go of the key that opens nothing any more.
        mutating func forget(lifetime: Int, now: Int) {
            if now - since >= lifetime { previous = nil }
        }
    }

    private let lifetime: Int
    /// Tells the time in seconds.
    fileprivate let clock: @Sendable () -> Int
    private let generations: Guarded<Generations>

    /// Seconds of a clock that is never set: a key must not live longer because somebody set the wall clock back.
    static var uptime: Int { Int(NIODeadline.now().uptimeNanoseconds / 1_000_000_000) }

    /// `lifetime` is the time for which a key seals, in seconds.
    init(lifetime: Int, clock: @escaping @Sendable () -> Int = { uptime }) throws(TLSError) {
        self.lifetime = lifetime
        self.clock = clock
        generations = Guarded(Generations(current: try .random(), previous: nil, since: clock()))
    }

    /// The key to seal with; a new one when the current one has done its time. nil: no randomness, make no ticket.
    func sealing(now: Int) -> Key? {
        generations.withLock { generations in
            let age = now - generations.since
            if age >= lifetime {
                guard let key = try? Key.random() else { return nil }
                // After two lifetimes without a ticket the current key, too, is too old to open anything.
                generations.previous = age < 2 * lifetime ? generations.current : nil
                generations.current = key
                generations.since = now
            }
            return generations.current
        }
    }

    /// The key that sealed a ticket, and whether the ticket should be renewed because that key is about to be gone.
    func opening(name: [UInt8], now: Int) -> (key: Key, renew: Bool)? {
        generations.withLock { generations in
            generations.forget(lifetime: lifetime, now: now)
            let age = now - generations.since
            if generations.current.name == name {
                return age < 2 * lifetime ? (generations.current, age >= lifetime) : nil
            }
            guard let previous = generations.previous, previous.name == name else { return nil }
            return (previous, true)
        }
    }

    /// Makes a context seal with these keys. This object must outlive the context's sessions.
    func install(in context: OpaquePointer) throws(TLSError) {
        guard unsafe nn_SSL_CTX_set_app_data(context, Unmanaged.passUnretained(self).toOpaque()) == 1,
            unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticketKeyCallback) == 1
        else { throw .library(operation: "set the ticket keys", .take()) }
    }
}

/// OpenSSL's callback: AES-256-CBC with HMAC-SHA-256, encrypt-then-MAC, as RFC 5077 §4 recommends. Returns 1 for
/// "go on", 2 for "go on and renew", 0 for "no ticket", negative for an error. The name has 16 bytes, the IV has room
/// for `EVP_MAX_IV_LENGTH` (16); all pointers are valid during the call.
private func ticketKeyCallback(
    _ ssl: OpaquePointer?,
    _ name: UnsafeMutablePointer<UInt8>?,
    _ initializationVector: UnsafeMutablePointer<UInt8>?,
    _ cipher: OpaquePointer?,
    _ mac: OpaquePointer?,
    _ sealing: CInt
) -> CInt {
    guard let name = unsafe name, let initializationVector = unsafe initializationVector,
        let data = unsafe nn_SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))
    else { return -1 }
    let keys = unsafe Unmanaged<TicketKeys>.fromOpaque(data).takeUnretainedValue()
    let now = keys.clock()
    if sealing == 1 {
        guard let key = keys.sealing(now: now) else { return 0 }
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
    guard let (key, renew) = keys.opening(name: presented, now: now) else { return 0 }
    let isSet = unsafe key.encryption.withUnsafeBytes {
        unsafe EVP_DecryptInit_ex(
            cipher, EVP_aes_256_cbc(), nil, $0.bindMemory(to: UInt8.self).baseAddress, initializationVector)
    }
    guard isSet == 1, unsafe setAuthentication(key, mac)
    else { return -1 }
    return renew ? 2 : 1
}

private func setAuthentication(_ key: TicketKeys.Key, _ mac: OpaquePointer?) -> Bool {
    // OpenSSL copies the key during the call.
    unsafe key.authentication.withUnsafeBytes {
        unsafe nn_EVP_MAC_CTX_set_hmac_sha256(mac, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)
    } == 1
}
