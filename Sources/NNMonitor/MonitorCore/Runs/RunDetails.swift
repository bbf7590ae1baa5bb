/// Everything that a run holds except its steps.
package struct RunDetails: Sendable {
    /// What clients report about the run.
    package internal(set) var info = RunInfo()
    /// The last events.
    var eventList = RunEvents()
    /// The names that its steps have used.
    package internal(set) var names = RunNames()
    /// Its layers.
    package internal(set) var structure = RunStructure()
    /// How often it posts.
    var pace: RunPace
    /// The highest `seq` of a step that is no longer held, or never was, without a replacement.
    var highestDroppedSeq: UInt64 = 0
    /// The last `seq` before the last `resume_from`; 0 if there was none.
    var seamSeq: UInt64 = 0
    /// Whether subscribers know the run as silent.
    var isReportedSilent = false
    /// The numbers of open alerts.
    package internal(set) var openAlerts = AlertCounts()
    /// What the observer knows of the run.
    package internal(set) var context = RunContext()

    init(createdAt: UTCTime) { pace = RunPace(since: createdAt) }

    /// The last events, the oldest first.
    package var events: [RunEvent] { eventList.list }

    /// Whether the training goes on, and nothing came for much longer than usual.
    func isSilent(at now: UTCTime) -> Bool { info.state == .running && pace.isSilent(at: now) }

    /// Heap bytes of the details. The tables of `structure` are counted with the steps that share them.
    var heapBytes: Int {
        info.heapBytes + eventList.heapBytes + names.heapBytes + structure.heapBytes + pace.heapBytes
    }
}
