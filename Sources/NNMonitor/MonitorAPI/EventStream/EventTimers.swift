import HTTPService
import NIOCore
import WebSocket

/// Wakes an event stream for its keep-alive, and when the grant of its request ends.
struct EventTimers: Sendable {
    private let keepAlive: RepeatedTask?
    private let access: NIOLoopBound<AccessWatch>?

    /// Starts the timers on the event loop of the connection.
    init(_ subscription: EventSubscription) async {
        let signal = subscription.signal
        guard let eventLoop = subscription.connection?.eventLoop else {
            keepAlive = nil
            access = nil
            return
        }
        let interval = subscription.monitor.configuration.webSocket.pingInterval
        keepAlive = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            signal.raise(.keepAlive)
        }
        guard let grant = subscription.access else {
            access = nil
            return
        }
        access = try? await eventLoop.submit {
            NIOLoopBound(
                AccessWatch(grant, on: eventLoop) { signal.raise(.accessEnded) }, eventLoop: eventLoop)
        }.get()
    }

    /// Stops the timers.
    func stop() {
        keepAlive?.cancel()
        guard let access else { return }
        access.eventLoop.execute { access.value.stop() }
    }
}
