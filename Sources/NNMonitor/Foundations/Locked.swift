package import Synchronization

/// A value protected by the standard library's `Mutex`, with annotations for ThreadSanitizer.
///
/// On Linux a contended `Mutex` is handed over by the kernel. ThreadSanitizer does not see this and would report a
/// race. In builds with `THREAD_SANITIZER` (see `script/test`), an atomic that is read on entry and written on exit
/// makes the happens-before order visible. Other builds use only the `Mutex`.
package struct Locked<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>
    #if THREAD_SANITIZER
        @usableFromInline let order = Atomic<Int>(0)
    #endif

    /// Wraps a value. It is then accessible only through `withLock`.
    package init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Runs `body` with exclusive access to the value.
    ///
    /// - Parameter body: must be short and must not block.
    /// - Returns: the result of `body`.
    /// - Throws: the error thrown by `body`.
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
