import Foundations

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A moment in UTC, written as `2026-02-10T12:34:56.789Z`.
struct LogTime: Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    let milliseconds: Int64

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The system clock's time.
    static func now() -> LogTime {
        var time = timespec()
        // The pointer is to a local, for the call only.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Appends the 24 characters of ISO 8601 with milliseconds (years 0 to 9999).
    func append(to line: inout [UInt8]) {
        CivilTime(ticksSince1970: Int(milliseconds), ticksPerSecond: 1000)
            .appendISO8601(fractionDigits: 3, to: &line)
        line.append(UInt8(ascii: "Z"))
    }
}
