import CAllocator
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Gives memory that nobody uses any more back to the system.
///
/// The C library gives back only what lies at the end of its arenas. When thousands of connections leave, or a large run
/// is evicted, a few bytes in use keep all the free pages below them: the process would stay at its peak for good. Soon after
/// the start it lets go of `StartupCode`, too.
struct FreedMemory: Service {
    /// When giving back is worth its time, which is about 0.2 ms for each megabyte given back.
    struct Policy {
        /// Free bytes that have to come together.
        static let worthwhile = 4 << 20
        /// What could not be given back, because something in use lies in the same pages.
        private var stuck = 0

        /// Whether so many free bytes in memory are worth it.
        mutating func isWorthwhile(free: Int) -> Bool {
            // What is less now has been used again: it can be given back when it is free the next time.
            stuck = min(stuck, max(free, 0))
            return free - stuck >= Self.worthwhile
        }

        /// Notes how much was free before and after giving back.
        mutating func gaveBack(before: Int, after: Int) {
            // If it was much, there may be more the next time: others free memory meanwhile.
            if before - after < Self.worthwhile { stuck = max(min(before, after), 0) }
        }
    }

    /// The time between two looks.
    let interval: Duration

    init(interval: Duration = .seconds(5)) { self.interval = interval }

    /// Sets how much the C library keeps for the next request of what one has freed. By itself it gives back 128 KiB at
    /// once: a body or a piece of a history, that is, whose pages the next one would have to get again.
    static func keepForNextRequest() { nn_keep_freed(512 << 10, 1 << 20) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var policy = Policy()
            try? await Task.sleep(for: interval)
            StartupCode.letGo()
            while (try? await Task.sleep(for: interval)) != nil {
                guard let free = Self.freeBytesInMemory() else { continue }
                guard policy.isWorthwhile(free: free) else { continue }
                nn_give_back_free_pages()
                policy.gaveBack(before: free, after: Self.freeBytesInMemory() ?? free)
            }
        }
    }

    /// Bytes of this process's memory that are in no file and not allocated; `nil` where the system doesn't tell.
    /// The threads' stacks are among them; they stay about the same.
    static func freeBytesInMemory() -> Int? {
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
