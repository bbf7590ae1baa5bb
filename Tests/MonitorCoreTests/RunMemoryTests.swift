import Testing

@testable import MonitorCore

/// What a run says that it holds, against what it holds.
@Suite struct RunMemoryTests {
    private static let structures = (0..<4).map { extra in
        (0...extra).map { Payloads.layer(id: "layer.\($0)", depth: "\($0)") }
    }
    /// The same layers with another shape.
    private static let reshaped = [
        Payloads.layer(features: #""activation_std":0.5,"activation_mean":0,"activation_shape":[1,2,3,4]"#)
    ]

    private func held(_ run: Run) -> Int {
        var position = run.steps.start
        var tables: [ObjectIdentifier: Int] = [:]
        var bytes = 0
        while let record = run.steps.next(&position) {
            bytes += record.memory
            tables[ObjectIdentifier(record.table)] = record.table.memory
            tables[ObjectIdentifier(record.shapes)] = record.shapes.memory
        }
        return bytes + tables.values.reduce(0, +)
    }

    @Test func stepsInAnyOrderAndOfAnyStructureAreCountedExactly() {
        var random = SystemRandomNumberGenerator()
        var run = Run(createdAt: UTCTime(microseconds: 0))
        for _ in 0..<2000 {
            if Int.random(in: 0..<8, using: &random) == 0 {
                run.removeLowest()
            } else {
                let layers = (Self.structures + [Self.reshaped]).randomElement(using: &random) ?? []
                // Few numbers, so that many steps are replaced, and many are too low for a full run.
                let step = Payloads.step(.random(in: 0..<30, using: &random), layers: layers)
                _ = run.keep(run.record(step), limit: 15)
            }
            #expect(run.memory == held(run))
        }
        while run.steps.count > 0 { run.removeLowest() }
        #expect(run.memory == 0)
    }
}
