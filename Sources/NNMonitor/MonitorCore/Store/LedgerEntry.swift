import Foundations

/// The ledger that counts a table. A decoder makes tables before it is known which run takes them.
struct LedgerEntry: ~Copyable, Sendable {
    private let ledger = Locked<RunLedger?>(nil)

    /// Counts a table, unless a ledger counts it already.
    ///
    /// - Parameters:
    ///   - new: the ledger; `nil`: the table is not counted.
    ///   - bytes: the size of the table.
    /// - Returns: whether the table is counted in `new`.
    func begin(_ new: RunLedger?, _ bytes: Int) -> Bool {
        ledger.withLock { ledger in
            if let ledger { return ledger === new }
            ledger = new
            new?.add(bytes)
            return true
        }
    }

    /// Ends the count: the table is freed.
    func end(_ bytes: Int) { ledger.withLock { $0?.subtract(bytes) } }
}
