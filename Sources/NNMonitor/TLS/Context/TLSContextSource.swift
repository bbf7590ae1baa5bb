import Foundations

/// The TLS context for new connections; `reload` replaces it.
package final class TLSContextSource: Sendable {
    private let context: Locked<TLSContext>

    /// Reads the files of the first context. Blocks on disk reads: do not call it on an event loop.
    ///
    /// - Throws: a case of `TLSError` under "Files", or `.library`.
    package init(configuration: TLSConfiguration) throws(TLSError) {
        context = Locked(try TLSContext(configuration: configuration))
    }

    /// The context for the next connection.
    package var current: TLSContext {
        context.withLock { $0 }
    }

    /// Reads the same files again. Existing connections keep their context.
    ///
    /// Blocks on disk reads: do not call it on an event loop.
    ///
    /// - Returns: the new value of `current`.
    /// - Throws: a case of `TLSError` under "Files", or `.library`; `current` does not change then.
    @discardableResult
    package func reload() throws(TLSError) -> TLSContext {
        let fresh = try read()
        use(fresh)
        return fresh
    }

    /// Reads the files again, without a change for connections. This reads from disk: not on an event loop.
    package func read() throws(TLSError) -> TLSContext { try TLSContext(configuration: current.configuration) }

    /// Gives new connections a context that was read before.
    package func use(_ fresh: TLSContext) { context.withLock { $0 = fresh } }
}
