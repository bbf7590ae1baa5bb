import MonitorCore
import NIOCore

/// Wakes subscribers on the event loop that they share.
struct LoopWaker: QueueWaker {
    let eventLoop: any EventLoop

    var place: ObjectIdentifier { ObjectIdentifier(eventLoop) }

    func wake(_ consumers: [@Sendable () -> Void]) {
        eventLoop.execute {
            for consumer in consumers { consumer() }
        }
    }
}
