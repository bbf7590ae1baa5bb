import Foundations
import MonitorCore
import Testing

@testable import Health

/// Screens recognise clean reports only: whatever is posted, each rule knows and finds the same as without them.
@Suite struct ScreenTests {
    /// Thresholds for some layers, one rule off for some and one for all.
    private static let settings = """
        {"rules": {"saturation": {"enabled": false}, "activation_drift": {"warning": 3}},
         "layers": [{"match": "l1", "rules": {"dead_layer": {"critical": 0.1}, "exploding_gradient": {"weak_factor": 2},
                                              "update_ratio": {"least_rate": 0.5}, "dead_units": {"critical": 0.1}}},
                    {"match": "l3*", "rules": {"vanishing_gradient": {"enabled": false},
                                               "activation_drift": {"warning": 9, "critical": 2}}}]}
        """

    @Test(arguments: 0..<30)
    func findingsAreTheSameWithoutScreens(seed: Int) throws {
        var run = RandomRun(seed: UInt64(seed))
        let inUse = HealthRulesInUse(HealthRules())
        if seed % 2 == 1 { inUse.use(try HealthRules(reading: Array(Self.settings.utf8))) }
        var fast = RunHealthEngine(inUse, usesScreens: true)
        var plain = RunHealthEngine(inUse, usesScreens: false)
        var context = RunContext()
        context.isHalfPrecision = seed % 4 < 2
        let kept = StepSequence()
        for turn in 0..<400 {
            if turn == 200, seed % 5 == 0 { inUse.use(try HealthRules(reading: Array(Self.settings.utf8))) }
            if turn == 300, seed % 7 == 0 {
                let time = UTCTime(microseconds: 0)
                _ = (fast.goBack(to: 250, lastSeq: 300, at: time), plain.goBack(to: 250, lastSeq: 300, at: time))
            }
            let step = try run.next()
            let isBelow = turn == 350 && seed % 6 == 0
            let found = fast.observe(step, isBelowKeptSteps: isBelow, kept: kept, context: context)
            let expected = plain.observe(step, isBelowKeptSteps: isBelow, kept: kept, context: context)
            try #require("\(found)" == "\(expected)", "step \(step.step)")
            // What each rule remembers of each layer, to the last bit.
            guard turn % 5 == 0 else { continue }
            let states = "\(plain.runners)".replacing("usesScreens: false", with: "usesScreens: true")
            try #require("\(fast.runners)" == states, "step \(step.step)")
        }
        #expect("\(fast.report(context: context))" == "\(plain.report(context: context))")
    }

    /// The comparison above means something: the runs are ill in many ways.
    @Test func randomRunsMakeAllRulesOfLayersFindSomething() throws {
        var found: Set<String> = []
        for seed in 0..<30 {
            var run = RandomRun(seed: UInt64(seed))
            var engine = RunHealthEngine(HealthRulesInUse(HealthRules()))
            var context = RunContext()
            context.isHalfPrecision = seed % 4 < 2
            for _ in 0..<400 {
                let step = try run.next()
                _ = engine.observe(step, isBelowKeptSteps: false, kept: StepSequence(), context: context)
            }
            found.formUnion(engine.report(context: context).alerts.compactMap(\.rule))
        }
        let expected = RuleID.allCases.filter { $0.isOfLayers && $0 != .routerCollapse }.map(\.name)
        #expect(Set(expected).subtracting(found) == [])
    }
}
