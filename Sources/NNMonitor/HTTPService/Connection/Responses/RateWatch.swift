package import NIOCore

/// Finds clients that take their answers too slowly.
///
/// The clock runs only while bytes wait for the client, so time that the server needs to produce an answer does not
/// count. The waiting time is divided into windows; in each of them the client must take a minimum number of bytes. A
/// window may consist of many short waits, and its bytes may come in bursts.
package struct RateWatch: Sendable {
    private let minimum: Int
    private let window: TimeAmount
    /// The waiting time and the bytes of the current window.
    private var waited = TimeAmount.zero
    private var takenInWindow = 0
    /// The current wait: when it was last looked at, and the bytes that waited then.
    private var wait: (since: NIODeadline, bytes: Int)?

    /// - Parameters:
    ///   - rate: the minimum in bytes per second, averaged over a window; 0 means no minimum.
    ///   - window: the length of a window.
    package init(rate: Int, window: TimeAmount) {
        self.minimum = rate == 0 ? 0 : max(1, Int(Double(rate) * Double(window.nanoseconds) / 1e9))
        self.window = window
    }

    /// When the client must have taken the minimum; nil while no bytes wait.
    package var deadline: NIODeadline? {
        guard self.minimum > 0, let wait = self.wait else { return nil }
        return wait.since + (self.window - self.waited)
    }

    /// Bytes wait for the client. Does nothing if others did already.
    package mutating func begin(bytes: Int, now: NIODeadline) {
        if self.wait == nil { self.wait = (now, bytes) }
    }

    /// The server may produce more bytes; `bytes` still wait, but the client does not delay the server.
    package mutating func end(bytes: Int, now: NIODeadline) {
        self.advance(bytes: bytes, now: now)
        self.wait = nil
        if self.waited >= self.window, self.takenInWindow >= self.minimum { self.beginWindow() }
    }

    /// Whether a window has ended in which the client took less than the minimum.
    ///
    /// - Parameters:
    ///   - bytes: the bytes that wait now.
    ///   - now: the current time.
    /// - Returns: true if the client is too slow.
    package mutating func isTooSlow(bytes: Int, now: NIODeadline) -> Bool {
        self.advance(bytes: bytes, now: now)
        guard self.minimum > 0, self.waited >= self.window else { return false }
        if self.takenInWindow < self.minimum { return true }
        self.beginWindow()
        return false
    }

    private mutating func advance(bytes: Int, now: NIODeadline) {
        guard let wait = self.wait else { return }
        let taken = max(0, wait.bytes - bytes)
        self.takenInWindow += taken
        self.waited = self.waited + (now - wait.since)
        self.wait = (now, bytes)
    }

    private mutating func beginWindow() {
        self.waited = .zero
        self.takenInWindow = 0
    }
}
