import NIOCore
import NIOEmbedded
import Testing

@testable import TLS

@Suite struct PendingWritesTests {
    private let loop = EmbeddedEventLoop()
    private let allocator = ByteBufferAllocator()

    private func chunks(_ pending: inout PendingWrites, limit: Int) -> [(bytes: ByteBuffer, completed: Int)] {
        var chunks: [(bytes: ByteBuffer, completed: Int)] = []
        while true {
            var completing: [EventLoopPromise<Void>] = []
            guard let chunk = pending.nextChunk(limit: limit, allocator: allocator, completing: &completing) else {
                return chunks
            }
            for promise in completing { promise.succeed() }
            chunks.append((chunk, completing.count))
        }
    }

    @Test func `Small writes are joined and large ones are split`() {
        var pending = PendingWrites()
        for text in ["ab", "cdefghijklmn", "", "o"] {
            pending.append(ByteBuffer(string: text), promise: loop.makePromise(of: Void.self))
        }
        #expect(!pending.hasFlushed)
        pending.markFlushed()
        #expect(pending.flushedBytes(upTo: 100) == 15)
        #expect(pending.flushedBytes(upTo: 4) == 4)
        let cut = chunks(&pending, limit: 5)
        #expect(cut.map { String(buffer: $0.bytes) } == ["abcde", "fghij", "klmno"])
        #expect(cut.map(\.completed) == [1, 0, 3])
        #expect(!pending.hasFlushed)
    }

    @Test func `Empty writes complete with an empty chunk`() {
        var pending = PendingWrites()
        pending.append(ByteBuffer(), promise: loop.makePromise(of: Void.self))
        pending.markFlushed()
        let cut = chunks(&pending, limit: 5)
        #expect(cut.map(\.completed) == [1])
        #expect(cut.allSatisfy { $0.bytes.readableBytes == 0 })
    }

    @Test func `Writes that are not flushed stay in the queue`() {
        var pending = PendingWrites()
        pending.append(ByteBuffer(string: "now"), promise: loop.makePromise(of: Void.self))
        pending.markFlushed()
        pending.append(ByteBuffer(string: "later"), promise: loop.makePromise(of: Void.self))
        #expect(chunks(&pending, limit: 100).map { String(buffer: $0.bytes) } == ["now"])
        let dropped = pending.removeUnflushed()
        #expect(dropped.count == 1)
        for promise in dropped { promise.succeed() }
        #expect(pending.removeAll().isEmpty)
    }
}
