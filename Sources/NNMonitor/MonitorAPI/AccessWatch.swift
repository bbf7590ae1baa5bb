import HTTPService
import NIOCore

/// Reports once, on the event loop, that the access which a connection was granted has ended: at once after a reload, a
/// logout or an eviction, and when the session expires.
final class AccessWatch {
    private let access: AccessGrant
    private let eventLoop: any EventLoop
    private var observation: GrantObservation?
    private var expiry: Scheduled<Void>?
    private var onEnd: (() -> Void)?

    init(_ access: AccessGrant, on eventLoop: any EventLoop, onEnd: @escaping () -> Void) {
        self.access = access
        self.eventLoop = eventLoop
        self.onEnd = onEnd
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        observation = access.observe { eventLoop.execute { _ = bound.value.check() } }
        scheduleExpiry()
    }

    /// Whether the access still holds; when it does not, this has been reported.
    func check() -> Bool {
        guard onEnd != nil else { return false }
        if access.isValid { return true }
        let report = onEnd
        stop()
        report?()
        return false
    }

    func stop() {
        observation?.cancel()
        expiry?.cancel()
        onEnd = nil
    }

    private func scheduleExpiry() {
        guard let left = access.timeLeft else { return }
        expiry = eventLoop.assumeIsolated().scheduleTask(in: left) { [self] in
            // The session's clock and the loop's may differ by a little.
            if check() { scheduleExpiry() }
        }
    }
}

@available(*, unavailable)
extension AccessWatch: Sendable {}
