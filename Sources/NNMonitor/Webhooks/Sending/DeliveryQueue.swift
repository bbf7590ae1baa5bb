import DequeModule
import MonitorCore

/// The events that wait for one receiver, in their order.
struct DeliveryQueue: Sendable {
    /// An event and the id of its message.
    struct Delivery: Sendable {
        let id: String
        let notice: EpisodeNotice

        /// Makes a delivery with an id of 128 random bits.
        init(_ notice: EpisodeNotice) {
            self.notice = notice
            id = (0..<2).map { _ in
                let text = String(UInt64.random(in: 0...UInt64.max), radix: 16)
                return String(repeating: "0", count: 16 - text.utf8.count) + text
            }.joined()
        }
    }

    private let limit: Int
    private var deliveries: Deque<Delivery> = []

    /// - Parameter limit: the largest number of waiting events, at least 1.
    init(limit: Int) { self.limit = limit }

    /// The number of waiting events.
    var count: Int { deliveries.count }

    /// Appends an event.
    ///
    /// - Returns: the oldest event, if the queue was full: it is lost.
    mutating func append(_ delivery: Delivery) -> Delivery? {
        let lost = deliveries.count >= limit ? deliveries.popFirst() : nil
        deliveries.append(delivery)
        return lost
    }

    /// Removes and returns the oldest event.
    mutating func popFirst() -> Delivery? { deliveries.popFirst() }

    /// Removes all events.
    ///
    /// - Returns: how many there were.
    mutating func removeAll() -> Int {
        defer { deliveries = [] }
        return deliveries.count
    }
}
