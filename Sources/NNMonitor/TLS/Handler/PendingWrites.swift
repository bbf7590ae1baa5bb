import NIOCore

/// Plaintext that was written and is not encrypted yet, cut into chunks that fill records.
struct PendingWrites {
    private struct Element {
        var bytes: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    private var elements = CircularBuffer<Element>(initialCapacity: 1)
    private var flushedCount = 0

    /// True when something waits that was flushed.
    var hasFlushed: Bool { flushedCount > 0 }

    /// Adds a write at the end.
    mutating func append(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
        elements.append(Element(bytes: bytes, promise: promise))
    }

    /// Marks all that is there as to be sent.
    mutating func markFlushed() {
        flushedCount = elements.count
    }

    /// How much of the flushed bytes there is, counted up to a limit.
    func flushedBytes(upTo limit: Int) -> Int {
        var total = 0
        for element in elements.prefix(flushedCount) {
            total += element.bytes.readableBytes
            if total >= limit { return limit }
        }
        return total
    }

    /// The next flushed bytes, at most `limit` of them; nil when nothing flushed is left. Promises of the writes that
    /// end with the chunk are added to `completing`.
    ///
    /// A chunk that lies in one write is a slice of it. Only a chunk of several writes is copied together.
    mutating func nextChunk(
        limit: Int, allocator: ByteBufferAllocator, completing: inout [EventLoopPromise<Void>]
    ) -> ByteBuffer? {
        guard flushedCount > 0 else { return nil }
        dropEmpty(completing: &completing)
        guard flushedCount > 0 else { return ByteBuffer() }
        let first = elements[elements.startIndex].bytes.readableBytes
        if first >= limit || flushedCount == 1 {
            let chunk = take(min(first, limit), completing: &completing)
            dropEmpty(completing: &completing)
            return chunk
        }
        var chunk = allocator.buffer(capacity: flushedBytes(upTo: limit))
        while flushedCount > 0, chunk.readableBytes < limit {
            let available = elements[elements.startIndex].bytes.readableBytes
            var part = take(min(available, limit - chunk.readableBytes), completing: &completing)
            chunk.writeBuffer(&part)
        }
        dropEmpty(completing: &completing)
        return chunk
    }

    /// Gives up what was not flushed and returns its promises.
    mutating func removeUnflushed() -> [EventLoopPromise<Void>] {
        let promises = elements.dropFirst(flushedCount).compactMap(\.promise)
        elements.removeLast(elements.count - flushedCount)
        return promises
    }

    /// Gives up everything and returns the promises.
    mutating func removeAll() -> [EventLoopPromise<Void>] {
        let promises = elements.compactMap(\.promise)
        elements = CircularBuffer(initialCapacity: 1)
        flushedCount = 0
        return promises
    }

    /// Takes bytes of the first write, and the write itself when it is used up.
    private mutating func take(_ count: Int, completing: inout [EventLoopPromise<Void>]) -> ByteBuffer {
        let index = elements.startIndex
        let part = elements[index].bytes.readSlice(length: count) ?? ByteBuffer()
        if elements[index].bytes.readableBytes == 0 { removeFirst(completing: &completing) }
        return part
    }

    private mutating func dropEmpty(completing: inout [EventLoopPromise<Void>]) {
        while flushedCount > 0, elements[elements.startIndex].bytes.readableBytes == 0 {
            removeFirst(completing: &completing)
        }
    }

    private mutating func removeFirst(completing: inout [EventLoopPromise<Void>]) {
        let element = elements.removeFirst()
        flushedCount -= 1
        if let promise = element.promise { completing.append(promise) }
    }
}
