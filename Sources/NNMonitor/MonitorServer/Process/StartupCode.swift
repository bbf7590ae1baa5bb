#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Code that only starting needed: reading settings, the dashboard's files and certificates.
///
/// The kernel maps pages of a program's file around each that is used, and keeps them mapped until memory is short. Most of
/// them are of no use later: the process counts some megabytes that nobody needs.
enum StartupCode {
    /// Lets go of the mapped pages of all code, of the program and its libraries. What is still needed is mapped again at
    /// its next use, from the system's cache of the file.
    static func letGo() {
        #if os(Linux)
            for part in parts(of: TextFile.text(of: "/proc/self/maps") ?? "") {
                // Code of a file that is mapped without leave to write: it comes back from the file as it was. The process
                // unmaps no code while it runs, so the addresses are still those of the list. Failing does no harm.
                unsafe madvise(UnsafeMutableRawPointer(bitPattern: part.lowerBound), part.count, MADV_DONTNEED)
            }
        #endif
    }

    /// The addresses of code that is in memory as it is in its file, in a list as `/proc/self/maps` has it (proc(5)):
    /// address range, permissions, offset, device, inode, path.
    static func parts(of maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] < ends[1] else { return nil }
            return ends[0]..<ends[1]
        }
    }
}
