#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// HTTP dates (RFC 9110 section 5.6.7). The server writes the IMF-fixdate form: `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The IMF-fixdate of `seconds` since 1970, UTC.
    package static func string(_ seconds: Int) -> String {
        let time = CivilTime(ticksSince1970: seconds, ticksPerSecond: 1)
        let date = time.date
        let weekday = Self.days[((date.daysSince1970 % 7) + 7) % 7]
        return "\(weekday), \(Self.two(date.day)) \(Self.months[date.month - 1]) \(date.year) "
            + "\(Self.two(time.hour)):\(Self.two(time.minute)):\(Self.two(time.second)) GMT"
    }

    /// Parses a date in any of the three forms that a recipient must accept (RFC 9110 section 5.6.7): IMF-fixdate,
    /// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
    ///
    /// - Returns: seconds since 1970, UTC; nil for anything else.
    package static func parse(_ text: String) -> Int? { Self.parse(text, now: Int(time(nil))) }

    /// Parses a date as if the present were `now`, in seconds since 1970.
    static func parse(_ text: String, now: Int) -> Int? {
        let words = text.split(separator: " ")
        guard let weekday = words.first, Self.days.contains(where: { weekday.hasPrefix($0) }) else { return nil }
        switch words.count {
        case 6 where words[5] == "GMT" && weekday.utf8.count == 4 && weekday.last == ",":
            return Self.seconds(
                year: Self.number(words[3], digits: 4), month: words[2], day: Self.number(words[1], digits: 2),
                clock: words[4])
        case 4 where words[3] == "GMT" && weekday.hasSuffix("day,"):
            let date = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard date.count == 3, let short = Self.number(date[2], digits: 2) else { return nil }
            // A two-digit year more than 50 years in the future is a year of the past (RFC 9110 section 5.6.7).
            let present = CivilDate(daysSince1970: now / 86_400).year
            let year = present / 100 * 100 + short
            return Self.seconds(
                year: year > present + 50 ? year - 100 : year, month: date[1], day: Self.number(date[0], digits: 2),
                clock: words[2])
        case 5 where weekday.utf8.count == 3:
            return Self.seconds(
                year: Self.number(words[4], digits: 4), month: words[1],
                day: Self.number(words[2], digits: words[2].utf8.count == 1 ? 1 : 2), clock: words[3])
        default:
            return nil
        }
    }

    private static func seconds(year: Int?, month: Substring, day: Int?, clock: Substring) -> Int? {
        let times = clock.split(separator: ":", omittingEmptySubsequences: false).map { Self.number($0, digits: 2) }
        guard let year, let day, (1600...9999).contains(year), let index = Self.months.firstIndex(of: String(month)),
            times.count == 3, let hour = times[0], let minute = times[1], let second = times[2],
            hour < 24, minute < 60, second <= 60
        else { return nil }
        let date = CivilDate(year: year, month: index + 1, day: day)
        // An invalid day, such as 31 February, does not survive the round trip through the day number.
        guard CivilDate(daysSince1970: date.daysSince1970) == date else { return nil }
        return date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring, digits: Int) -> Int? {
        text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    private static func two(_ value: Int) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
