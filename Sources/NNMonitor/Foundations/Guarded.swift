package import Synchronization

/// A value behind a lock: the standard library's `Mutex`, in a form that ThreadSanitizer can follow.
///
/// On Linux a contended `Mutex` is handed over by the kernel, which ThreadSanitizer does not see: it would report every
/// access under a contended lock as a race. When built for it (`THREAD_SANITIZER`, see `script/test`), an atomic that
/// is read on entry and written on exit shows it the order that the lock has made. Otherwise there is only the `Mutex`.
package struct Guarded<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>
    #if THREAD_SANITIZER
        @usableFromInline let order = Atomic<Int>(0)
    #endif

    /// Wraps a value, which is then reachable through the lock only.
    package init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Runs `body` with the value, alone.
    ///
    /// - Parameter body: short, and never waiting.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws.
    @inlinable
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        #if THREAD_SANITIZER
            return try mutex.withLock { (value) throws(Failure) in
                _ = order.load(ordering: .acquiring)
                defer { order.store(0, ordering: .releasing) }
                return try body(&value)
            }
        #else
            return try mutex.withLock(body)
        #endif
    }
}
