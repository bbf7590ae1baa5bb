/// Why kept steps of a run were dropped.
package enum DropReason: Sendable, Hashable {
    /// The run had more steps than allowed.
    case stepLimit
    /// The run alone exceeded the memory limit.
    case memoryLimit

    /// The value on the wire.
    package var name: String {
        switch self {
        case .stepLimit: "max_steps_per_run"
        case .memoryLimit: "max_memory"
        }
    }
}

/// How serious an alert is.
package enum AlertLevel: Sendable, Hashable, CaseIterable {
    /// For information.
    case info
    /// Something may be wrong.
    case warning
    /// Something is wrong.
    case critical

    /// The value on the wire.
    package var name: String {
        switch self {
        case .info: "info"
        case .warning: "warning"
        case .critical: "critical"
        }
    }
}

/// The body of `POST /api/v2/runs/{run}/alerts`. Texts are UTF-8.
package struct PostedAlert: Sendable, Equatable {
    /// How serious it is.
    package var level = AlertLevel.info
    /// One line for people.
    package var title: [UInt8] = []
    /// More for people.
    package var text: [UInt8]?
    /// The step that it is about.
    package var step: Int64?

    /// An alert without a title, which the decoder fills.
    package init() {}

    /// Heap bytes of the texts.
    var heapBytes: Int { title.heapBytes + (text?.heapBytes ?? 0) }
}

/// Something that happened to a run (EVENT of the open wire).
package struct RunEvent: Sendable {
    /// What happened.
    package enum Kind: Sendable {
        /// The training went back to a step: `dropped` kept steps from it on were dropped.
        case resumed(step: Int64, dropped: Int)
        /// The training posted `count` steps below the kept ones, the first of them `step`, without going back by
        /// `resume_from`.
        case restarted(step: Int64, count: Int)
        /// The `count` lowest steps were dropped, up to `step`.
        case stepsDropped(step: Int64, count: Int, reason: DropReason)
        /// The trainer posted an alert. `number` identifies it in the run.
        case alert(PostedAlert, number: UInt64)
        /// The state changed.
        case state(RunState, exitCode: Int64?, reason: [UInt8]?)
    }

    /// When it happened, or began.
    package let time: UTCTime
    /// What happened.
    package internal(set) var kind: Kind

    /// Heap bytes of the texts.
    var heapBytes: Int {
        switch kind {
        case .resumed, .restarted, .stepsDropped: 0
        case .alert(let alert, _): alert.heapBytes
        case .state(_, _, let reason): reason?.heapBytes ?? 0
        }
    }
}

/// The last events of a run.
struct RunEvents: Sendable {
    /// The largest number of events.
    static let maximum = 1000

    /// The events, the oldest first.
    private(set) var list: [RunEvent] = []
    private var textBytes = 0

    /// Heap bytes of the list and the texts.
    var heapBytes: Int { list.heapBytes + textBytes }

    /// Appends an event, and removes the oldest one above the maximum.
    mutating func append(_ event: RunEvent) {
        list.append(event)
        textBytes += event.heapBytes
        if list.count > Self.maximum { removeFirst() }
    }

    /// Removes the oldest event.
    mutating func removeFirst() {
        guard !list.isEmpty else { return }
        textBytes -= list.removeFirst().heapBytes
    }

    /// Removes all events and their memory.
    mutating func removeAll() {
        list = []
        textBytes = 0
    }

    /// Notes a step that was not kept because all kept ones are higher. Steps that follow each other are one event:
    /// only one other event may lie between.
    mutating func noteRestart(_ step: Int64, at now: UTCTime) {
        for index in list.indices.suffix(2) {
            if case .restarted(let first, let count) = list[index].kind {
                list[index].kind = .restarted(step: first, count: count + 1)
                return
            }
        }
        append(RunEvent(time: now, kind: .restarted(step: step, count: 1)))
    }

    /// Notes dropped steps. Drops that follow each other are one event: only one other event may lie between. A run at
    /// its limit drops a step for each new one.
    mutating func noteDrop(_ dropped: Int, upTo step: Int64, _ reason: DropReason, at now: UTCTime) {
        for index in list.indices.suffix(2) {
            if case .stepsDropped(let last, let count, reason) = list[index].kind {
                list[index].kind = .stepsDropped(step: max(last, step), count: count + dropped, reason: reason)
                return
            }
        }
        append(RunEvent(time: now, kind: .stepsDropped(step: step, count: dropped, reason: reason)))
    }
}
