#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A moment of wall-clock time, in microseconds since 1970-01-01T00:00:00 UTC.
package struct UTCTime: Sendable, Hashable, Comparable {
    /// Microseconds since the Unix epoch.
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// The system's wall clock.
    package static func now() -> UTCTime {
        var time = timespec()
        // The pointer is to a local, for the call only.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UTCTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package static func < (left: UTCTime, right: UTCTime) -> Bool { left.microseconds < right.microseconds }

    /// ISO 8601 in UTC with microseconds and offset: `2026-02-10T12:34:56.789012+00:00`.
    package var iso8601: String {
        let (seconds, fraction) = microseconds.quotientAndRemainderFloored(dividingBy: 1_000_000)
        let (days, second) = seconds.quotientAndRemainderFloored(dividingBy: 86_400)
        let date = Self.civil(daysSinceEpoch: days)
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
            + ".\(padded(fraction, 6))+00:00"
    }

    /// The date of a day number in the proleptic Gregorian calendar.
    ///
    /// Counts in eras of 400 years (146 097 days) that begin on 1 March, so that the leap day is the last of a year.
    static func civil(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSinceEpoch + 719_468  // days from 0000-03-01 to 1970-01-01
        let (era, dayOfEra) = shifted.quotientAndRemainderFloored(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Int64 {
    /// Division that rounds towards negative infinity, so that moments before 1970 have a positive remainder.
    fileprivate func quotientAndRemainderFloored(dividingBy divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
