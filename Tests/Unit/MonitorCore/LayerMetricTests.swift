import Foundation
import Testing

@testable import MonitorCore

/// Compares the table of metrics with SCHEMA.md.
@Suite struct LayerMetricTests {
    @Test func `SCHEMA.md lists the metrics in the order of the table, with their bounds`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../SCHEMA.md")
        let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line -> String? in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard cells.count > 3, cells[2].hasPrefix("float") else { return nil }
            let path = cells[1].trimmingCharacters(in: ["`"])
            guard LayerBlock.allCases.contains(where: { path.hasPrefix("\($0.path[0])") }) else { return nil }
            return "\(path) bound \(cells[3].contains(">= 0")) optional \(cells[3].contains("optional"))"
        }
        let table = LayerMetric.all.map { metric in
            let path = metric.path.map { "\($0)" }.joined(separator: ".")
            return "\(path) bound \(metric.bound == .notNegative) optional \(metric.isOptional)"
        }
        #expect(rows == table)
    }

    @Test func `the metrics have distinct names, and columns in the order of the table`() {
        #expect(LayerMetric.all.map(\.column) == Array(0..<LayerMetric.count))
        #expect(Set(LayerMetric.all.map { "\($0.name)" }).count == LayerMetric.count)
    }
}
