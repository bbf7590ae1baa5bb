import Foundations

/// Runs tasks when it is told to, on the thread that tells it: a test of tasks on an event loop without a thread
/// becomes repeatable.
final class ManualExecutor: TaskExecutor {
    private let jobs = Guarded<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs what waits, and what that brings, until nothing is left.
    ///
    /// - Returns: whether there was anything.
    @discardableResult
    func drain() -> Bool {
        var hasRun = false
        while true {
            let waiting = jobs.withLock { jobs in
                defer { jobs = [] }
                return jobs
            }
            if waiting.isEmpty { return hasRun }
            // Each job is run once, as its executor promises.
            for job in waiting { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            hasRun = true
        }
    }
}
