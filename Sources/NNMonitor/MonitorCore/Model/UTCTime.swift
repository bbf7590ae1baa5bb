import Foundations

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A wall-clock time in microseconds since 1970-01-01T00:00:00 UTC.
package struct UTCTime: Sendable, Hashable, Comparable {
    /// Microseconds since the Unix epoch.
    package var microseconds: Int64

    /// Wraps microseconds since the Unix epoch.
    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// Reads the system's wall clock.
    package static func now() -> UTCTime {
        var time = timespec()
        // The pointer to a local variable is used only during the call.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UTCTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package static func < (left: UTCTime, right: UTCTime) -> Bool { left.microseconds < right.microseconds }

    /// ISO 8601 in UTC with microseconds and offset: `2026-02-10T12:34:56.789012+00:00`.
    package var iso8601: String {
        var text: [UInt8] = []
        text.reserveCapacity(32)
        CivilTime(ticksSince1970: Int(microseconds), ticksPerSecond: 1_000_000)
            .appendISO8601(fractionDigits: 6, to: &text)
        text.append(contentsOf: "+00:00".utf8)
        return String(decoding: text, as: UTF8.self)
    }
}
