import Foundation
import Testing

@testable import MonitorServer

@Suite struct LogQueueTests {
    private static func queue(to pipe: Pipe, limit: Int) -> LogQueue {
        LogQueue(output: LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor), limit: limit) {
            Array("lost \($0)\n".utf8)
        }
    }

    /// The lines in the pipe, after closing its writing end.
    private static func lines(of pipe: Pipe) throws -> [Substring] {
        try pipe.fileHandleForWriting.close()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            .split(separator: "\n")
    }

    @Test func `After a flush, all lines have arrived, in order`() throws {
        let pipe = Pipe()
        let queue = Self.queue(to: pipe, limit: 65_536)
        for number in 0..<1000 { queue.put(Array("line \(number)\n".utf8)) }
        queue.flush()
        #expect(try Self.lines(of: pipe) == (0..<1000).map { "line \($0)" })
    }

    @Test func `Without a reader, lines wait up to the limit, and those above it are counted`() async throws {
        let pipe = Pipe()
        let queue = Self.queue(to: pipe, limit: 200_000)
        // A pipe's buffer is 64 KiB: the second write blocks until there is a reader.
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 999) + [UInt8(ascii: "\n")]
        for _ in 0..<1000 { queue.put(line) }
        // Without a reader, the flush ends at its time limit.
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
        // The limit, and what the pipe took in the meantime: 65 lines of its 65 536 bytes, and a part of one.
        #expect((200...266).contains(kept), "\(kept)")
        #expect(lines.last == "after")
    }
}
