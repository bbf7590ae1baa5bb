import Foundations

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The value of the `Date` header, formatted at most once per second and shared by all connections.
final class DateHeader: Sendable {
    private let cached = Locked<(second: Int, text: String)>((0, HTTPDate.string(0)))

    var now: String {
        let second = Int(time(nil))
        return self.cached.withLock { cached in
            if cached.second != second { cached = (second, HTTPDate.string(second)) }
            return cached.text
        }
    }
}
