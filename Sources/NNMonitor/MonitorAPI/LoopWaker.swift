import MonitorCore
import NIOCore

/// Wakes the subscribers of one event loop in one job.
struct LoopWaker: QueueWaker {
    let eventLoop: any EventLoop

    var loopID: ObjectIdentifier { ObjectIdentifier(eventLoop) }

    func wake(_ consumers: [@Sendable () -> Void]) {
        eventLoop.execute {
            for consumer in consumers { consumer() }
        }
    }
}
