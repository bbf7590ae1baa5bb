import Foundations
import NIOCore
import Testing

@testable import HTTPService

@Suite struct BodyBudgetTests {
    private static let limit = 80_000_000
    private static let large = 2_000_000
    private let budget = BodyBudget(limit: Self.limit, stallTime: .seconds(5))
    private let start = NIODeadline.uptimeNanoseconds(1)

    /// Begins bodies of one size until one is rejected, and returns the accepted ones.
    private func fill(_ share: Int, size: Int = Self.large, at now: NIODeadline? = nil) throws -> [UInt64] {
        var bodies: [UInt64] = []
        while true {
            let body = self.budget.begin(in: share, now: now ?? self.start)
            do throws(BodyFailure) {
                try self.budget.grow(body, by: size, now: now ?? self.start)
                bodies.append(body)
            } catch {
                #expect(error == .noRoom)
                self.budget.end(body)
                return bodies
            }
        }
    }

    @Test func `One address alone gets two thirds of the room for large bodies`() throws {
        let share = self.budget.join(identity: nil, address: "a")
        #expect(try self.fill(share).count == Self.limit * 7 / 8 * 2 / 3 / Self.large)
    }

    @Test func `However many clients there are, another one still gets room`() throws {
        for number in 0..<6 {
            let share = self.budget.join(identity: "token \(number)", address: "a")
            #expect(try !self.fill(share).isEmpty, "\(number)")
        }
        let late = self.budget.join(identity: "late", address: "a")
        let body = self.budget.begin(in: late, now: self.start)
        try self.budget.grow(body, by: Self.large, now: self.start)
    }

    @Test func `An address leaves room to the others of its token`() throws {
        _ = try self.fill(self.budget.join(identity: "t", address: "a"))
        #expect(try self.fill(self.budget.join(identity: "t", address: "b")).count > 1)
    }

    @Test func `Small bodies have room that large ones cannot take`() throws {
        let share = self.budget.join(identity: nil, address: "a")
        _ = try self.fill(share)
        #expect(try self.fill(share, size: 100_000).count > 50)
        #expect(self.budget.inUse < Self.limit)
    }

    @Test func `A body that becomes large needs room among the large ones`() throws {
        let share = self.budget.join(identity: nil, address: "a")
        let body = self.budget.begin(in: share, now: self.start)
        try self.budget.grow(body, by: 100_000, now: self.start)
        _ = try self.fill(share)
        #expect(throws: BodyFailure.noRoom) { try self.budget.grow(body, by: 1_000_000, now: self.start) }
        try self.budget.grow(body, by: 20_000, now: self.start)
        self.budget.end(body)
    }

    @Test func `The first body of a client may use all that is free`() throws {
        let budget = BodyBudget(limit: 4_000_000, stallTime: .seconds(5))
        let body = budget.begin(in: budget.join(identity: "t", address: "a"), now: self.start)
        try budget.grow(body, by: 2_000_000, now: self.start)
        #expect(throws: BodyFailure.noRoom) { try budget.grow(body, by: 1_600_000, now: self.start) }
    }

    @Test func `A stalled body loses its place to one that needs it, and only then`() throws {
        let share = self.budget.join(identity: "t", address: "a")
        let bodies = try self.fill(share)
        let evicted = Locked<[UInt64]>([])
        for body in bodies {
            self.budget.wait(body, wireBytes: 10, now: self.start) { { evicted.withLock { $0.append(body) } } }
        }
        // One body makes progress and one is complete.
        self.budget.wait(bodies[0], wireBytes: 10 + BodyBudget.progress, now: self.start + .seconds(4)) { {} }
        #expect(self.budget.finish(bodies[1]))
        let late = self.budget.begin(in: share, now: self.start)
        #expect(throws: BodyFailure.noRoom) {
            try self.budget.grow(late, by: Self.large, now: self.start + .seconds(4))
        }
        #expect(evicted.withLock { $0 }.isEmpty)
        try self.budget.grow(late, by: Self.large, now: self.start + .seconds(5))
        #expect(Set(evicted.withLock { $0 }) == Set(bodies.dropFirst(2)))
        #expect(self.budget.inUse == 3 * Self.large)
        #expect(!self.budget.finish(bodies[2]))
        #expect(throws: BodyFailure.stalled) { try self.budget.grow(bodies[2], by: 1, now: self.start) }
    }

    @Test func `A full share evicts no body of another token`() throws {
        let slow = self.budget.begin(in: self.budget.join(identity: "slow", address: "a"), now: self.start)
        try self.budget.grow(slow, by: Self.large, now: self.start)
        self.budget.wait(slow, wireBytes: 10, now: self.start) { { Issue.record("evicted") } }
        let later = self.start + .minutes(1)
        _ = try self.fill(self.budget.join(identity: "busy", address: "a"), at: later)
        #expect(self.budget.finish(slow))
    }

    @Test func `All is given back once`() throws {
        let share = self.budget.join(identity: "t", address: "a")
        let bodies = try self.fill(share) + self.fill(share, size: 1000)
        for body in bodies { self.budget.wait(body, wireBytes: 10, now: self.start) { {} } }
        let late = self.budget.begin(in: share, now: self.start)
        try self.budget.grow(late, by: Self.large, now: self.start + .seconds(6))
        for body in bodies + [late] + bodies { self.budget.end(body) }
        self.budget.leave(share)
        #expect(self.budget.inUse == 0)
        #expect(self.budget.count == (0, 0))
    }

    @Test(arguments: [
        ("2001:db8::1", "2001:db8::ffff", true), ("2001:db8::1", "2001:db8:0:1::1", false),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false), ("192.0.2.1", "192.0.2.2", false),
    ])
    func `An IPv6 client counts by its network`(first: String, second: String, isSame: Bool) {
        #expect((ClientAddress.key(first) == ClientAddress.key(second)) == isSame)
    }
}
