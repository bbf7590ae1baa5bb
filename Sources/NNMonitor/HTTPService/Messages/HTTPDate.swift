import Foundations

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Dates as HTTP writes them (RFC 9110 §5.6.7, IMF-fixdate): `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The IMF-fixdate of `seconds` since 1970, UTC.
    static func string(_ seconds: Int) -> String {
        let days = Int((Double(seconds) / 86_400).rounded(.down))
        let time = seconds - days * 86_400
        let (year, month, day) = Self.civil(daysSince1970: days)
        let weekday = Self.days[((days % 7) + 7) % 7]
        return "\(weekday), \(Self.two(day)) \(Self.months[month - 1]) \(year) "
            + "\(Self.two(time / 3600)):\(Self.two(time / 60 % 60)):\(Self.two(time % 60)) GMT"
    }

    /// Seconds since 1970 of a date in any of the three forms, all of which a recipient must take (RFC 9110 §5.6.7):
    /// the one above, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. Nil for anything else.
    static func parse(_ text: String, now: Int = Int(time(nil))) -> Int? {
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
            // Two digits mean the year nearest to now that is not more than 50 years ahead.
            let present = Self.civil(daysSince1970: now / 86_400).year
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
        let days = Self.daysSince1970(year: year, month: index + 1, day: day)
        // A day that its month doesn't have comes back as one of the next.
        guard Self.civil(daysSince1970: days) == (year, index + 1, day) else { return nil }
        return days * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring, digits: Int) -> Int? {
        text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    private static func two(_ value: Int) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }

    // The two conversions count days in years that begin in March, so that the leap day is the last of its year.

    private static func civil(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = marchYear / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// The `Date` header of now, formatted once a second and shared by all connections.
final class DateHeader: Sendable {
    private let cached = Guarded<(second: Int, text: String)>((0, HTTPDate.string(0)))

    var now: String {
        let second = Int(time(nil))
        return self.cached.withLock { cached in
            if cached.second != second { cached = (second, HTTPDate.string(second)) }
            return cached.text
        }
    }
}
