import Foundation
import Testing

@testable import MonitorServer

@Suite struct LogQueueTests {
    private static func queue(to pipe: Pipe, limit: Int) -> LogQueue {
        LogQueue(output: LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor), limit: limit) {
            Array("lost \($0)\n".utf8)
        }
    }

    /// What is in the pipe once its writing end is closed.
    private static func lines(of pipe: Pipe) throws -> [Substring] {
        try pipe.fileHandleForWriting.close()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            .split(separator: "\n")
    }

    @Test func `Lines arrive in their order, all of them after a flush`() throws {
        let pipe = Pipe()
        let queue = Self.queue(to: pipe, limit: 65_536)
        for number in 0..<1000 { queue.put(Array("line \(number)\n".utf8)) }
        queue.flush()
        #expect(try Self.lines(of: pipe) == (0..<1000).map { "line \($0)" })
    }

    @Test func `Lines that nobody takes wait up to the limit, and those over it are counted`() async throws {
        let pipe = Pipe()
        let queue = Self.queue(to: pipe, limit: 200_000)
        // A pipe holds 64 KiB: the second write waits for a reader.
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 999) + [UInt8(ascii: "\n")]
        for _ in 0..<1000 { queue.put(line) }
        // Nothing is read: this ends by its time.
        queue.flush(within: .milliseconds(10))

        let (received, whole) = AsyncStream.makeStream(of: String.self)
        Thread.detachNewThread {
            whole.yield(String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
            whole.finish()
        }
        queue.flush(within: .seconds(60))
        queue.put(Array("after\n".utf8))
        queue.flush(within: .seconds(60))
        try pipe.fileHandleForWriting.close()

        let lines = await received.reduce("", +).split(separator: "\n")
        let kept = lines.filter { $0.hasPrefix("x") }.count
        let lost = lines.filter { $0.hasPrefix("lost ") }.compactMap { Int($0.dropFirst(5)) }
        #expect(kept + lost.reduce(0, +) == 1000)
        // What waits, and what the pipe took meanwhile.
        #expect((200...264).contains(kept), "\(kept)")
        #expect(lines.last == "after")
    }
}
