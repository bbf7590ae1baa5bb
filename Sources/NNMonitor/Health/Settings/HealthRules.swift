import Foundations
import MonitorCore

/// The settings of the rules: for all runs, and for the runs of some projects.
package struct HealthRules: Sendable {
    /// The settings for the runs of a project.
    struct Scope: Sendable {
        /// The settings of all layers.
        var rules = RuleSet()
        /// Other settings for the layers that match a pattern: the first match counts.
        var layers: [(pattern: IDPattern, rules: RuleSet)] = []
        /// The names that rules interpret.
        var names = InterpretedNames()

        /// The index of the settings that apply to a layer: 0 for those of all layers.
        func variant(_ layer: ArraySlice<UInt8>) -> Int {
            (layers.firstIndex { $0.pattern.matches(layer) } ?? -1) + 1
        }
    }

    /// The settings of runs of other projects, or of none.
    var scope = Scope()
    /// The settings by project.
    var projects: [ByteString: Scope] = [:]

    /// The defaults.
    package init() {}

    /// The settings that apply to a run.
    func scope(of project: String) -> Scope { projects[ByteString(project)] ?? scope }
}

/// The settings that are in use. SIGHUP may replace them.
package final class HealthRulesInUse: Sendable {
    private let state: Locked<(rules: HealthRules, version: UInt64)>

    /// - Parameter rules: the settings.
    package init(_ rules: HealthRules) { state = Locked((rules, 1)) }

    /// The settings, and a number that changes with them.
    var current: (rules: HealthRules, version: UInt64) { state.withLock { $0 } }

    /// A number that changes with the settings.
    var version: UInt64 { state.withLock(\.version) }

    /// Replaces the settings. Each run uses them from its next step on.
    package func use(_ rules: HealthRules) { state.withLock { $0 = (rules, $0.version + 1) } }
}
