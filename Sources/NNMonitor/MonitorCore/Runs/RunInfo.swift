/// Whether a run's training goes on.
package enum RunState: Sendable, Hashable, CaseIterable {
    /// It goes on, or it ended without a report.
    case running
    /// It ended as planned.
    case finished
    /// It ended with an error.
    case failed

    /// The value on the wire.
    package var name: String {
        switch self {
        case .running: "running"
        case .finished: "finished"
        case .failed: "failed"
        }
    }
}

/// What clients report about a run with `PUT /api/v2/runs/{run}`. Texts are UTF-8 and compared as bytes.
package struct RunInfo: Sendable, Equatable {
    /// The project that the run belongs to.
    package var project: [UInt8]?
    /// The name of the run for people.
    package var name: [UInt8]?
    /// The group of runs that it belongs to.
    package var group: [UInt8]?
    /// Its tags, in posted order.
    package var tags: [[UInt8]] = []
    /// Notes of people.
    package var notes: [UInt8]?
    /// Its hyperparameters.
    package var config = RunConfig()
    /// Whether its training goes on.
    package var state = RunState.running
    /// When `state` became `finished` or `failed`.
    package var finishedAt: UTCTime?
    /// The exit code of the training's process.
    package var exitCode: Int64?
    /// Why the training ended.
    package var reason: [UInt8]?

    /// Applies an update.
    ///
    /// - Parameters:
    ///   - update: the update.
    ///   - config: the config after merging.
    ///   - now: the current time.
    mutating func apply(_ update: RunUpdate, config: RunConfig, at now: UTCTime) {
        if let state = update.state {
            if state == .running {
                (finishedAt, exitCode, reason) = (nil, nil, nil)
            } else if state != self.state {
                finishedAt = now
            }
            self.state = state
        }
        update.project.apply(to: &project)
        update.name.apply(to: &name)
        update.group.apply(to: &group)
        update.notes.apply(to: &notes)
        update.exitCode.apply(to: &exitCode)
        update.reason.apply(to: &reason)
        if let tags = update.tags { self.tags = tags }
        self.config = config
    }

    /// The values of `config.precision` that mean a half precision.
    private static let halfPrecisions = ["\"fp16\"", "\"float16\"", "\"16-mixed\""]

    /// What an observer of the run's steps knows of it.
    var context: RunContext {
        var context = RunContext()
        context.project = String(decoding: project ?? [], as: UTF8.self)
        context.isHalfPrecision = config.members.contains { key, value in
            key.elementsEqual("precision".utf8)
                && Self.halfPrecisions.contains { value.elementsEqual($0.utf8) }
        }
        return context
    }

    /// Heap bytes of the texts.
    var heapBytes: Int {
        let texts = [project, name, group, notes, reason].reduce(0) { $0 + ($1?.heapBytes ?? 0) }
        return texts + tags.heapBytes + tags.reduce(0) { $0 + $1.heapBytes } + config.heapBytes
    }
}
