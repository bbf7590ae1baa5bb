#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How much memory this process may use: the machine's memory, or the limit of its control groups if that is lower.
enum MachineMemory {
    /// Bytes of stored metrics when `MAX_MEMORY` is `auto`: a quarter. Requests, subscribers and temporary copies need
    /// the rest.
    static let defaultLimit = available(machine: physical, text: TextFile.text(of:)) / 4

    /// Bytes of this machine's memory; `Int.max` where the system does not report it.
    private static var physical: Int {
        let pages = sysconf(CInt(_SC_PHYS_PAGES))
        return pages > 0 ? pages * sysconf(CInt(_SC_PAGESIZE)) : .max
    }

    /// Bytes that a process may use.
    ///
    /// - Parameters:
    ///   - machine: The machine's memory.
    ///   - text: Returns the text of a file; `nil` when it cannot be read.
    /// - Returns: The least of the machine's memory and the limits of the process's control groups and their parents.
    static func available(machine: Int, text: (String) -> String?) -> Int {
        limitFiles(text("/proc/self/cgroup") ?? "")
            .compactMap { text($0).flatMap(limit) }
            .reduce(machine, min)
    }

    /// The files that may contain a limit, from the lines `hierarchy:controllers:path` of cgroups(7).
    ///
    /// The limits of all parents apply too. In a container, the path may be that of the host, which is not mounted
    /// there. Then the root of the mount is the container's own group, and it is among the parents.
    private static func limitFiles(_ groups: String) -> [String] {
        groups.split(separator: "\n").flatMap { line -> [String] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let roots: [String]
            let name: String
            if fields[1].isEmpty {
                // Version 2; if version 1 is in use too, it is mounted at `unified`.
                roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
                name = "memory.max"
            } else if fields[1].split(separator: ",").contains("memory") {
                roots = ["/sys/fs/cgroup/memory"]
                name = "memory.limit_in_bytes"
            } else {
                return []
            }
            let parents = ancestors(of: fields[2])
            return roots.flatMap { root in parents.map { "\(root)\($0)/\(name)" } }
        }
    }

    /// A path and all its parents, the root (an empty text) last.
    private static func ancestors(of path: Substring) -> [String] {
        let parts = path.split(separator: "/").filter { $0 != ".." }
        return (0...parts.count).reversed().map { count in parts.prefix(count).map { "/\($0)" }.joined() }
    }

    /// The number in a limit file; `nil` for `max` and invalid text. Version 1 has a number near `Int.max` for "no
    /// limit", which exceeds any machine's memory.
    private static func limit(_ text: String) -> Int? {
        let line = text.prefix { !$0.isNewline }
        return Int(line).flatMap { $0 > 0 ? $0 : nil }
    }
}
