import HTTPService
import NIOCore

/// Calls back once, on the event loop, when the grant of a connection ends: after a reload of the tokens, a logout or
/// the eviction of its session, and when the session expires.
final class AccessWatch {
    private let access: AccessGrant
    private let eventLoop: any EventLoop
    private var observation: GrantObservation?
    private var expiry: Scheduled<Void>?
    private var onEnd: (() -> Void)?

    /// - Parameters:
    ///   - access: the grant of the connection.
    ///   - eventLoop: the connection's event loop.
    ///   - onEnd: called once, when the grant ends.
    init(_ access: AccessGrant, on eventLoop: any EventLoop, onEnd: @escaping () -> Void) {
        self.access = access
        self.eventLoop = eventLoop
        self.onEnd = onEnd
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        observation = access.observe { eventLoop.execute { _ = bound.value.check() } }
        scheduleExpiry()
    }

    /// Whether the grant is still valid. If it is not, `onEnd` has been called.
    func check() -> Bool {
        guard onEnd != nil else { return false }
        if access.isValid { return true }
        let report = onEnd
        stop()
        report?()
        return false
    }

    /// Stops watching: `onEnd` is not called any more.
    func stop() {
        observation?.cancel()
        expiry?.cancel()
        onEnd = nil
    }

    private func scheduleExpiry() {
        guard let left = access.timeLeft else { return }
        expiry = eventLoop.assumeIsolated().scheduleTask(in: left) { [self] in
            // The clocks of the session and of the event loop may differ slightly.
            if check() { scheduleExpiry() }
        }
    }
}

@available(*, unavailable)
extension AccessWatch: Sendable {}
