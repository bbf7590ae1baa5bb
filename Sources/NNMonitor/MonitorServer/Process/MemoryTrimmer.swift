import CAllocator
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Returns freed memory to the system.
///
/// The C library by itself returns only the memory at the end of its arenas. After thousands of connections have
/// closed, or a large run was evicted, a few bytes still in use hold all the free pages below them, and the process
/// would keep its peak size.
struct MemoryTrimmer: Service {
    /// Decides when trimming is worth its time, which is about 0.2 ms per megabyte returned.
    struct Policy {
        /// Trim when at least this many bytes have become free.
        static let threshold = 4 << 20
        /// Free bytes that an earlier trim could not return, because their pages also hold memory in use.
        private var unreturnable = 0

        /// Whether to trim when `free` bytes are free.
        mutating func shouldTrim(free: Int) -> Bool {
            // If fewer are free now, some of them are in use again and can be returned the next time they are free.
            unreturnable = min(unreturnable, max(free, 0))
            return free - unreturnable >= Self.threshold
        }

        /// Records the free bytes before and after a trim.
        mutating func trimmed(before: Int, after: Int) {
            // After a trim that returned much, try again: other threads free memory in the meantime.
            if before - after < Self.threshold { unreturnable = max(min(before, after), 0) }
        }
    }

    /// The time between two checks.
    let interval: Duration

    /// Sets how much freed memory the C library keeps for reuse until the next check. By default it returns blocks of
    /// 128 KiB at once, so a request body or a chunk of a history would cause page faults every time; with 4 MiB the
    /// bodies of batches still do.
    static func configureAllocator() { nn_set_thresholds(64 << 20, 8 << 20) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var policy = Policy()
            while (try? await Task.sleep(for: interval)) != nil {
                guard let free = Self.freeBytes(), policy.shouldTrim(free: free) else { continue }
                nn_return_free_pages()
                policy.trimmed(before: free, after: Self.freeBytes() ?? free)
            }
        }
    }

    /// Resident bytes of this process that belong to no file and are not allocated; `nil` where the system does not
    /// report them. They include the threads' stacks, whose size changes little.
    static func freeBytes() -> Int? {
        let allocated = nn_allocated_bytes()
        // Pages: size, resident, shared with files, ... (proc(5)).
        guard allocated >= 0, let text = TextFile.text(of: "/proc/self/statm") else {
            return nil
        }
        let pages = text.split(separator: " ").prefix(3).compactMap { Int($0) }
        guard pages.count == 3 else { return nil }
        return (pages[1] - pages[2]) * sysconf(CInt(_SC_PAGESIZE)) - allocated
    }
}
