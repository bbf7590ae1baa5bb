#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The limit of open files: a connection is one.
enum OpenFiles {
    /// Files that connections must leave to the process: to read its own figures, its certificate, its tokens.
    static let spare = 32

    /// Raises this process's limit as far as it may by itself.
    ///
    /// - Returns: the limit now; `nil` when the system doesn't tell.
    @discardableResult
    static func raiseLimit() -> UInt? {
        guard var limit = limits() else { return nil }
        if limit.rlim_cur < limit.rlim_max {
            let before = limit.rlim_cur
            limit.rlim_cur = limit.rlim_max
            // The pointer is to a local, for the call only.
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 { limit.rlim_cur = before }
        }
        return UInt(limit.rlim_cur)
    }

    /// How many connections the limit has room for, beside what is open now and the spare ones; at least one.
    static func roomForConnections() -> Int {
        guard let limit = limits().map({ Int(clamping: $0.rlim_cur) }) else { return .max }
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? spare
        return max(limit - open - spare, 1)
    }

    private static func limits() -> rlimit? {
        var limit = rlimit()
        // The pointer is to a local, for the call only.
        return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
