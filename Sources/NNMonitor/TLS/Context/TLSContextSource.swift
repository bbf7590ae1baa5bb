import Foundations

/// Where new connections get their context from: the newest one whose files were good.
package final class TLSContextSource: Sendable {
    private let context: Guarded<TLSContext>

    /// Reads the files for the first time. This reads from disk: not on an event loop.
    package init(configuration: TLSConfiguration) throws(TLSError) {
        context = Guarded(try TLSContext(configuration: configuration))
    }

    /// The context for the next connection.
    package var current: TLSContext {
        context.withLock { $0 }
    }

    /// Reads the same files again. Connections that exist keep what they have; when a file is bad, new ones keep the
    /// old context, too. This reads from disk: not on an event loop.
    ///
    /// - Returns: The context that new connections get from now on.
    /// - Throws: What is wrong with the files; nothing has changed then.
    @discardableResult
    package func reload() throws(TLSError) -> TLSContext {
        let fresh = try TLSContext(configuration: current.configuration)
        context.withLock { $0 = fresh }
        return fresh
    }
}
