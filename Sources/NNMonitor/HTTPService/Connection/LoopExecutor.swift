import NIOCore

/// Runs tasks on an event loop, between its other work: an answer that is made quickly then needs no other thread.
///
/// A task that prefers it comes back to it after each `await`, and so do actors' methods that the task calls, unless the
/// actor is busy elsewhere.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The loop calls this once at most, so the job is run once. The closure keeps the executor until then.
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
