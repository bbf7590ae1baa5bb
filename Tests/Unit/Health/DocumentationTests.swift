import Foundation
import Testing

@testable import Health

/// docs/LAYER_HEALTH.md describes each rule, with the same advice as the server gives.
@Suite struct DocumentationTests {
    private static let page = text(of: "docs/LAYER_HEALTH.md")

    private static func text(of path: String) -> String? {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private static func joined(_ text: some StringProtocol) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    @Test(arguments: RuleID.allCases)
    func `the page has the advice of a rule below its heading`(rule: RuleID) throws {
        let page = try #require(Self.page)
        let start = try #require(page.range(of: "### \(rule.name)\n"))
        let end = page.range(of: "\n##", range: start.upperBound..<page.endIndex)?.lowerBound ?? page.endIndex
        let section = Self.joined(page[start.upperBound..<end])
        #expect(section.hasSuffix(Self.joined(RuleText.advice(rule))))
    }

    @Test(arguments: RuleID.allCases)
    func `CONFIGURATION.md has the numbers of each rule`(rule: RuleID) throws {
        let lines = try #require(Self.text(of: "CONFIGURATION.md")).split(separator: "\n")
        let row = try #require(lines.first { $0.hasPrefix("| `\(rule.name)` |") })
        let names = row.split(separator: "`").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
        #expect(Array(names.dropFirst()) == RuleSet.editor(of: rule).parameters)
    }

    @Test func `the rules on layers are in the order of origins`() throws {
        let page = try #require(Self.page)
        let places = try RuleID.allCases.map { try #require(page.range(of: "### \($0.name)\n")).lowerBound }
        #expect(places == places.sorted())
    }

    @Test func `each rule has a name, a title and advice of its own`() {
        #expect(Set(RuleID.allCases.map(\.name)).count == RuleID.allCases.count)
        #expect(Set(RuleID.allCases.map { RuleText.title($0, "a") }).count == RuleID.allCases.count)
        #expect(Set(RuleID.allCases.map(RuleText.advice)).count == RuleID.allCases.count)
    }

    @Test(
        arguments: [
            (0.63, "0.63"), (0, "0"), (1_234_567, "1235000"), (4.78512e-8, "4.785e-08"), (-2.5, "-2.5"), (.nan, "NaN"),
            (.infinity, "Infinity"), (100, "100"), (9.99999, "10"),
        ] as [(Double, String)])
    func `numbers in texts have four significant digits`(value: Double, text: String) {
        #expect(RuleText.number(value) == text)
    }
}
