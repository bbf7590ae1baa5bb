/// Finds the known name that is most similar to a mistyped one.
enum NearestName {
    /// The candidate with the smallest edit distance from `name`, the first of several; `nil` without candidates.
    static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        candidates.map { ($0, editDistance(name, $0)) }.min { $0.1 < $1.1 }?.0
    }

    /// The smallest number of letters to insert, delete, replace or swap with their neighbour that turns one text into
    /// the other (optimal string alignment). Takes time proportional to the product of the lengths, so only the first
    /// 128 letters are compared.
    static func editDistance(_ first: String, _ second: String) -> Int {
        let a = Array(first.prefix(128))
        let b = Array(second.prefix(128))
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }

        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                var cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    cost = min(cost, beforeLast[j - 2] + 1)
                }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
