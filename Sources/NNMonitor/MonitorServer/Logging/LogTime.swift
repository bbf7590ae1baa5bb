#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A moment in UTC, written as `2026-02-10T12:34:56.789Z` without calendar or locale.
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
        let (days, inDay) = Self.floorDivide(milliseconds, 86_400_000)
        let (year, month, day) = Self.date(daysSince1970: days)
        let seconds = inDay / 1000

        Self.append(year, digits: 4, to: &line)
        line.append(UInt8(ascii: "-"))
        Self.append(month, digits: 2, to: &line)
        line.append(UInt8(ascii: "-"))
        Self.append(day, digits: 2, to: &line)
        line.append(UInt8(ascii: "T"))
        Self.append(seconds / 3600, digits: 2, to: &line)
        line.append(UInt8(ascii: ":"))
        Self.append(seconds / 60 % 60, digits: 2, to: &line)
        line.append(UInt8(ascii: ":"))
        Self.append(seconds % 60, digits: 2, to: &line)
        line.append(UInt8(ascii: "."))
        Self.append(inDay % 1000, digits: 3, to: &line)
        line.append(UInt8(ascii: "Z"))
    }

    /// The date of the proleptic Gregorian calendar. Years are counted from March, so that the leap day ends one;
    /// 400 years have 146 097 days.
    private static func date(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // 719 468 days lie between 0000-03-01 and 1970-01-01.
        let (era, dayOfEra) = floorDivide(daysSince1970 + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Months from March have 31, 30, 31, 30, 31 days and so on: 153 days in every five.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func append(_ number: Int64, digits: Int, to line: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            line.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}
