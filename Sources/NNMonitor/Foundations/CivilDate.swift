/// A date of the proleptic Gregorian calendar, in UTC.
package struct CivilDate: Sendable, Hashable {
    /// The year; year 0 is 1 BC.
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to 31.
    package let day: Int

    /// Makes a date from its components, which are not validated.
    package init(year: Int, month: Int, day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    // Both conversions start the year on 1 March, so that a leap day is the last day of its year, and group years into
    // eras of 400 years (146 097 days). Counted from March, month lengths repeat 31, 30, 31, 30, 31: 153 days in every
    // five months. 719 468 days lie between 0000-03-01 and 1970-01-01.

    /// The date a number of days after 1970-01-01.
    package init(daysSince1970 days: Int) {
        let (era, dayOfEra) = (days + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01. Days beyond the end of the month count into the next month.
    package var daysSince1970: Int {
        let (era, yearOfEra) = (month <= 2 ? year - 1 : year).flooredQuotientAndRemainder(dividingBy: 400)
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// A UTC time in whole seconds plus a fraction.
package struct CivilTime: Sendable, Hashable {
    /// The day in UTC.
    package let date: CivilDate
    /// 0 to 23.
    package let hour: Int
    /// 0 to 59.
    package let minute: Int
    /// 0 to 59; leap seconds are ignored.
    package let second: Int
    /// The fraction of a second, in the ticks passed to the initializer.
    package let fraction: Int

    /// Splits a time into its components.
    ///
    /// - Parameters:
    ///   - ticks: time since 1970-01-01T00:00:00Z; negative before it.
    ///   - ticksPerSecond: the unit, such as 1000 for milliseconds.
    package init(ticksSince1970 ticks: Int, ticksPerSecond: Int) {
        let (seconds, fraction) = ticks.flooredQuotientAndRemainder(dividingBy: ticksPerSecond)
        let (days, second) = seconds.flooredQuotientAndRemainder(dividingBy: 86_400)
        date = CivilDate(daysSince1970: days)
        (hour, minute, self.second) = (second / 3600, second / 60 % 60, second % 60)
        self.fraction = fraction
    }

    /// Appends `2026-02-10T12:34:56.789`, for years 0 to 9999.
    ///
    /// - Parameters:
    ///   - fractionDigits: digits after the point, such as 3 for milliseconds.
    ///   - text: receives the ASCII bytes.
    package func appendISO8601(fractionDigits: Int, to text: inout [UInt8]) {
        text.append(decimal: date.year, digits: 4)
        text.append(UInt8(ascii: "-"))
        text.append(decimal: date.month, digits: 2)
        text.append(UInt8(ascii: "-"))
        text.append(decimal: date.day, digits: 2)
        text.append(UInt8(ascii: "T"))
        text.append(decimal: hour, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.append(decimal: minute, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.append(decimal: second, digits: 2)
        text.append(UInt8(ascii: "."))
        text.append(decimal: fraction, digits: fractionDigits)
    }
}

extension [UInt8] {
    /// Appends the last `digits` decimal digits of a non-negative number, zero-padded.
    package mutating func append(decimal number: Int, digits: Int) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}

extension Int {
    /// Division that rounds towards negative infinity, so the remainder is never negative.
    fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
