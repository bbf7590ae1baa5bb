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

/// The process's limit of open file descriptors. Each connection uses one.
enum DescriptorLimit {
    /// Descriptors reserved for files of the process, such as `/proc/self/statm`, the certificate and the tokens.
    static let reserved = 32

    /// Raises the soft limit to the hard limit.
    ///
    /// - Returns: The limit that is now in force; `nil` when the system does not report it.
    @discardableResult
    static func raise() -> UInt? {
        guard var limit = limits() else { return nil }
        if limit.rlim_cur < limit.rlim_max {
            let before = limit.rlim_cur
            limit.rlim_cur = limit.rlim_max
            // The pointer is to a local, for the call only.
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 { limit.rlim_cur = before }
        }
        return UInt(limit.rlim_cur)
    }

    /// How many connections the limit permits beside the descriptors now open and the reserved ones; at least one.
    static func connectionCapacity() -> Int {
        guard let limit = limits().map({ Int(clamping: $0.rlim_cur) }) else { return .max }
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? reserved
        return max(limit - open - reserved, 1)
    }

    private static func limits() -> rlimit? {
        var limit = rlimit()
        // The pointer is to a local, for the call only.
        return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
