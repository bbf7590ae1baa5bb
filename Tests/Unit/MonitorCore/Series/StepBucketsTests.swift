import Testing

@testable import MonitorCore

@Suite struct StepBucketsTests {
    @Test func `the shift is the least that gives at most as many buckets as points`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let highest = Int64(1) << Int64.random(in: 1...40, using: &random)
            var steps: Set<Int64> = []
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                steps.insert(.random(in: 0...highest, using: &random))
            }
            var buckets = StepBuckets()
            for step in steps.sorted() { buckets.note(step) }
            func count(_ shift: Int) -> Int { Set(steps.map { $0 >> Int64(shift) }).count }
            for points in [1, 2, 3, 7, 60] {
                let shift = buckets.shift(points: points)
                #expect(count(shift) <= points)
                #expect(shift == 0 || count(shift - 1) > points)
            }
        }
    }

    @Test func `the highest step numbers share one bucket in the end`() {
        var buckets = StepBuckets()
        for step in [0, .max - 1, .max] as [Int64] { buckets.note(step) }
        #expect(buckets.shift(points: 1) == 63)
        #expect(buckets.shift(points: 2) == 1)
        #expect(buckets.shift(points: 3) == 0)
        #expect(StepBuckets().shift(points: 1) == 0)
    }
}

@Suite struct IDPatternTests {
    /// A pattern written with stars.
    private func matches(_ pattern: String, _ id: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map { Array($0.utf8) }
        return IDPattern(parts: parts).matches(Array(id.utf8)[...])
    }

    @Test(arguments: [
        ("a", "a"), ("*", ""), ("*", "a/b"), ("a*", "a"), ("a*", "ab"), ("*b", "ab"), ("a*b", "ab"), ("a*b", "axb"),
        ("a*b*c", "abc"), ("a*b*c", "axbxbc"), ("**", "a"), ("a*a", "aa"), ("h/*/a", "h/0/1/a"), ("*é", "é"),
    ])
    func `a star stands for any run of characters`(pattern: String, id: String) { #expect(matches(pattern, id)) }

    @Test(arguments: [
        ("a", "ab"), ("a", ""), ("", "a"), ("a*", "ba"), ("*b", "ba"), ("a*a", "a"), ("a*b*c", "acb"), ("ab*ba", "aba"),
        ("*x*", "abc"),
    ])
    func `a pattern matches the whole id`(pattern: String, id: String) { #expect(!matches(pattern, id)) }
}
