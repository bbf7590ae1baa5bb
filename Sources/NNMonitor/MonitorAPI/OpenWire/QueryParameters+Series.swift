import Foundations
import HTTPService
import MonitorCore

/// The parameters of requests for series.
extension QueryParameters {
    /// The distinct names in a list, in its order; empty if the list is. `nil` if the parameter is absent.
    func orderedNames(_ name: String) -> [ByteString]? {
        guard text(name) != nil else { return nil }
        var known: Set<ByteString> = []
        return items(name).map(Self.literal).filter { known.insert($0).inserted }
    }

    /// Distinct parts of buckets in the order of a list: `last` if the parameter is absent, all if the list is empty.
    mutating func parts(_ name: String) -> [SeriesPart] {
        guard let names = orderedNames(name) else { return [.last] }
        if names.isEmpty { return SeriesPart.allCases }
        let parts = names.compactMap { SeriesPart(rawValue: $0.text) }
        if parts.count < names.count { reject(.notAllowed(SeriesPart.allCases.map(\.rawValue)), name) }
        return parts
    }

    /// A finite number above a bound; `nil` if the parameter is absent or invalid.
    mutating func number(_ name: String, above bound: Int) -> Double? {
        guard let text = text(name) else { return nil }
        let spelled = ["NaN", "Infinity", "-Infinity"].contains(text)
        // Swift also reads hexadecimal numbers and other spellings.
        let isDecimal = text.utf8.allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "+-.eE".utf8.contains($0)
        }
        guard !spelled, isDecimal, let value = Double(text) else {
            reject(spelled ? .notFinite : .textIsNoNumber, name)
            return nil
        }
        if !value.isFinite {
            reject(.notFinite, name)
        } else if value <= Double(bound) {
            reject(.notGreater(than: bound), name)
        }
        return value
    }

    /// The id of a run, which must be present and valid.
    mutating func runID(_ name: String) -> RunID {
        guard let text = text(name) else {
            reject(.missing, name)
            return ""
        }
        let id = RunID(text)
        if let problem = id.problem { reject(problem, name) }
        return id
    }

    /// The largest number of buckets.
    mutating func points() -> Int { Int(integer("points", atLeast: 1, atMost: 10_000) ?? 500) }
}
