import Foundation
import Testing

@testable import MonitorCore

/// Compares the table of metrics with SCHEMA.md and openapi.json.
@Suite struct LayerMetricTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")

    @Test func `SCHEMA.md lists the metrics in the order of the table, with their bounds`() throws {
        let text = try String(contentsOf: Self.root.appending(path: "SCHEMA.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").compactMap { line -> String? in
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

    @Test func `openapi.json has the metrics as posted, as served and in the lite form`() throws {
        let data = try Data(contentsOf: Self.root.appending(path: "static/openapi.json"))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let components = try #require(document["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        func rows(_ name: String) throws -> Set<String> { numbers(of: try #require(schemas[name]), in: schemas) }
        func expected(isServed: Bool, isLite: Bool = false) -> Set<String> {
            Set(
                LayerMetric.all.filter { !isLite || $0.isLite }.map { metric in
                    let path = metric.path.map { "\($0)" }.joined(separator: ".")
                    // A step of the open wire may lack any of them, and has no bounds.
                    return "\(path) bound \(metric.bound == .notNegative && !isServed) "
                        + "nullable \(isServed || metric.isOptional) required \(isServed || !metric.isOptional)"
                })
        }
        #expect(try rows("LayerStatistics") == expected(isServed: false))
        #expect(try rows("StepLayer") == expected(isServed: true))
        #expect(try rows("LiteStepLayer") == expected(isServed: true, isLite: true))
    }

    /// The numbers of a schema's objects, by path.
    private func numbers(of schema: [String: Any], in schemas: [String: [String: Any]]) -> Set<String> {
        if let reference = schema["$ref"] as? String, let name = reference.split(separator: "/").last {
            return numbers(of: schemas[String(name)] ?? [:], in: schemas)
        }
        if let first = (schema["anyOf"] as? [[String: Any]])?.first { return numbers(of: first, in: schemas) }
        let required = schema["required"] as? [String] ?? []
        var found: Set<String> = []
        for (key, property) in schema["properties"] as? [String: [String: Any]] ?? [:] {
            var types = property["type"] as? [String] ?? [property["type"] as? String ?? ""]
            // What is served may be one of the strings for numbers that are not finite.
            let choices = property["anyOf"] as? [[String: Any]] ?? []
            if choices.first?["$ref"] as? String == "#/components/schemas/StepValue" {
                types = ["number"] + choices.dropFirst().compactMap { $0["type"] as? String }
            }
            if types.contains("number") {
                found.insert(
                    "\(key) bound \(property["minimum"] != nil) nullable \(types.contains("null")) "
                        + "required \(required.contains(key))")
            } else {
                found.formUnion(numbers(of: property, in: schemas).map { "\(key).\($0)" })
            }
        }
        return found
    }

    @Test func `the metrics have distinct names, and columns in the order of the table`() {
        #expect(LayerMetric.all.map(\.column) == Array(0..<LayerMetric.count))
        #expect(Set(LayerMetric.all.map { "\($0.name)" }).count == LayerMetric.count)
    }
}
