import Foundations

/// Runs tasks only in `drain()`, on the caller's thread. This makes tasks on an event loop without a thread
/// deterministic.
final class ManualExecutor: TaskExecutor {
    private let jobs = Locked<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs all queued jobs, including those that they enqueue.
    ///
    /// - Returns: whether any job ran.
    @discardableResult
    func drain() -> Bool {
        var hasRun = false
        while true {
            let waiting = jobs.withLock { jobs in
                defer { jobs = [] }
                return jobs
            }
            if waiting.isEmpty { return hasRun }
            // Each job is removed from the queue before it runs, so it runs exactly once, as `runSynchronously`
            // requires.
            for job in waiting { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            hasRun = true
        }
    }
}
