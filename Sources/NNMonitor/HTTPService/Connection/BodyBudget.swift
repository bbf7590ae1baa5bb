import Synchronization

/// Bounds the bytes of bodies that all connections hold together: each may be small enough, and all of them too much.
final class BodyBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    /// - Parameter limit: bytes at most.
    init(limit: Int) { self.limit = limit }

    /// Sets bytes aside.
    /// - Returns: Whether there was room for them; if not, nothing is set aside.
    func take(_ bytes: Int) -> Bool {
        let (_, now) = self.used.add(bytes, ordering: .relaxed)
        guard now > self.limit else { return true }
        self.used.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// Gives back what was taken.
    func giveBack(_ bytes: Int) { self.used.subtract(bytes, ordering: .relaxed) }

    /// Bytes that are set aside now.
    var inUse: Int { self.used.load(ordering: .relaxed) }
}
