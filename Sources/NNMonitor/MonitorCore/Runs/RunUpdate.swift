/// What an update does with a field.
package enum FieldChange<Value: Sendable & Equatable>: Sendable, Equatable {
    /// The update does not have the field.
    case unchanged
    /// The field is null.
    case cleared
    /// The field has a new value.
    case set(Value)

    func apply(to field: inout Value?) {
        switch self {
        case .unchanged: break
        case .cleared: field = nil
        case .set(let value): field = value
        }
    }
}

/// The body of `PUT /api/v2/runs/{run}`.
package struct RunUpdate: Sendable, Equatable {
    /// The project that the run belongs to.
    package var project = FieldChange<[UInt8]>.unchanged
    /// The name of the run for people.
    package var name = FieldChange<[UInt8]>.unchanged
    /// The group of runs that it belongs to.
    package var group = FieldChange<[UInt8]>.unchanged
    /// The tags that replace the run's tags.
    package var tags: [[UInt8]]?
    /// Notes of people.
    package var notes = FieldChange<[UInt8]>.unchanged
    /// The posted config: a compact JSON object whose members replace those of the run's config, or delete them if
    /// they are null.
    package var config: [UInt8]?
    /// Whether its training goes on.
    package var state: RunState?
    /// The exit code of the training's process.
    package var exitCode = FieldChange<Int64>.unchanged
    /// Why the training ended.
    package var reason = FieldChange<[UInt8]>.unchanged
    /// The step from which on the run's kept steps are dropped.
    package var resumeFrom: Int64?

    /// An update that changes nothing: a heartbeat.
    package init() {}

    /// Whether only the description for people is updated: name, group, tags or notes. It does not show that the
    /// training is alive.
    package var isDescription: Bool {
        var rest = self
        rest.name = .unchanged
        rest.group = .unchanged
        rest.tags = nil
        rest.notes = .unchanged
        return rest == RunUpdate() && self != RunUpdate()
    }
}
