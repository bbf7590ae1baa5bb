import NIOCore

/// Runs tasks on an event loop, so that a fast response needs no thread switch.
///
/// A task with this executor preference resumes on the loop after each `await`. Methods of default actors that it calls
/// also run there, unless the actor is busy elsewhere.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The job runs at most once, because the loop calls the closure at most once. The closure retains the executor.
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
