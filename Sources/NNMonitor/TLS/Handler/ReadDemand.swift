/// Records whether the application or the handshake called `read`. If `autoRead` is off, the handshake calls `read` on
/// its own. Plaintext that arrives with these reads is held until the application calls `read`.
struct ReadDemand {
    /// Whether the application called `read` and has not received any plaintext since.
    private(set) var isDemanded = false
    /// Whether the handshake called `read` on its own, so that plaintext may arrive before the application calls it.
    private var hasReadForHandshake = false

    /// Whether plaintext may be delivered as it arrives.
    var mayDeliver: Bool { isDemanded || !hasReadForHandshake }

    /// Records a `read` of the application.
    mutating func applicationReads() { isDemanded = true }

    /// Records a `read` of the handshake.
    mutating func handshakeReads() {
        if !isDemanded { hasReadForHandshake = true }
    }

    /// Records that the application has received plaintext.
    mutating func delivered() { isDemanded = false }

    /// Ends the holding of plaintext.
    ///
    /// - Returns: whether the handshake read on its own, so that plaintext may be held.
    mutating func releaseHeld() -> Bool {
        defer { hasReadForHandshake = false }
        return hasReadForHandshake
    }
}
