import Foundations
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct ResponseBudgetTests {
    private static let limit = 8_000_000
    private static let large = 500_000

    /// What snapshots keep alive, as the test sets it; and the readers that were dropped.
    private final class Snapshots: Sendable {
        let bytes = Locked(0)
        let dropped = Locked([String]())
        func set(_ value: Int) { self.bytes.withLock { $0 = value } }
    }

    private let snapshots = Snapshots()
    private let budget: ResponseBudget

    init() {
        let snapshots = self.snapshots
        self.budget = ResponseBudget(
            limit: Self.limit, stallTime: .seconds(5), minimumRate: 1_000,
            retained: { snapshots.bytes.withLock { $0 } })
    }

    private func fill(_ peer: String, size: Int = Self.large) -> [ResponseReservation] {
        var reservations: [ResponseReservation] = []
        while let next = try? self.budget.reserve(size, access: nil, peer: peer) { reservations.append(next) }
        return reservations
    }

    @Test func `A response over the limit is answered 503 with Retry-After until another one ends`() throws {
        var reservations = self.fill("a")
        #expect(!reservations.isEmpty && self.budget.inUse <= Self.limit)
        let error = #expect(throws: HTTPError.self) { try self.budget.reserve(Self.large, access: nil, peer: "a") }
        #expect(error?.response.status == .serviceUnavailable)
        #expect(error?.response.headers["retry-after"] == ["1"])
        reservations.removeLast()
        reservations.append(try self.budget.reserve(Self.large, access: nil, peer: "a"))
        reservations.removeAll()
        #expect(self.budget.inUse == 0)
    }

    @Test func `One address leaves memory to others, and large responses leave memory to small ones`() throws {
        let reservations = self.fill("a")
        #expect(self.budget.inUse <= Self.limit * 7 / 8 * 2 / 3)
        let other = self.fill("b")
        #expect(!other.isEmpty)
        let small = self.fill("a", size: 20_000)
        #expect(small.count > 10)
        withExtendedLifetime((reservations, other, small)) {}
    }

    @Test func `A response larger than the limit is admitted while there is no other`() throws {
        let huge = try self.budget.reserve(10 * Self.limit, access: nil, peer: "a")
        #expect(throws: HTTPError.self) { try self.budget.reserve(Self.large, access: nil, peer: "b") }
        // The part for small responses is still there.
        let small = try self.budget.reserve(20_000, access: nil, peer: "b")
        withExtendedLifetime((huge, small)) {}
    }

    @Test func `A response that grows needs memory for it`() throws {
        let first = try self.budget.reserve(Self.large, access: nil, peer: "a")
        #expect(first.grow(to: 2 * Self.large))
        #expect(self.budget.inUse == 2 * Self.large)
        let others = self.fill("a")
        #expect(!first.grow(to: Self.limit))
        withExtendedLifetime(others) {}
    }

    @Test func `What snapshots keep alive counts, except against the part for small responses`() throws {
        self.snapshots.set(Self.limit - Self.large)
        let first = try self.budget.reserve(Self.large / 2, access: nil, peer: "a")
        #expect(throws: HTTPError.self) { try self.budget.reserve(Self.large, access: nil, peer: "a") }
        self.snapshots.set(2 * Self.limit)
        let small = try self.budget.reserve(20_000, access: nil, peer: "a")
        withExtendedLifetime((first, small)) {}
    }

    @Test func `When snapshots keep too much alive, the slowest reader of one is dropped, then the next`() throws {
        let snapshots = self.snapshots
        var readers: [String: ResponseReservation] = [:]
        for (name, taken) in [("fast", 90_000), ("slow", 10), ("middle", 5_000), ("of a run that is unchanged", 0)] {
            let isChanged = taken > 0
            let reader = try self.budget.reserve(Self.large, access: nil, peer: name, retained: { isChanged ? 1 : 0 })
            reader.progress.report(taken: taken, now: .now()) {
                { snapshots.dropped.withLock { $0.append(name) } }
            }
            readers[name] = reader
        }
        self.budget.check()
        #expect(snapshots.dropped.withLock { $0 } == [])
        self.snapshots.set(Self.limit)
        self.budget.check()
        // The second call finds that the memory of the first reader is about to be free.
        self.budget.check()
        #expect(snapshots.dropped.withLock { $0 } == ["slow"])
        readers["slow"] = nil
        #expect(snapshots.dropped.withLock { $0 } == ["slow", "middle"])
        self.snapshots.set(0)
        readers["middle"] = nil
        #expect(snapshots.dropped.withLock { $0 } == ["slow", "middle"])
    }
}
