import NIOCore

/// A queue of plaintext writes that are not encrypted yet, read in chunks that fill records.
struct PendingWrites {
    private struct Element {
        var bytes: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    private var elements = CircularBuffer<Element>(initialCapacity: 1)
    private var flushedCount = 0

    /// Whether the queue contains flushed writes, which come before the others.
    var hasFlushed: Bool { flushedCount > 0 }

    /// Appends a write.
    mutating func append(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
        elements.append(Element(bytes: bytes, promise: promise))
    }

    /// Marks all queued writes as flushed.
    mutating func markFlushed() {
        flushedCount = elements.count
    }

    /// Returns the number of flushed bytes, or `limit` if there are more.
    func flushedBytes(upTo limit: Int) -> Int {
        var total = 0
        for element in elements.prefix(flushedCount) {
            total += element.bytes.readableBytes
            if total >= limit { return limit }
        }
        return total
    }

    /// Removes and returns the next flushed bytes.
    ///
    /// A chunk within one write is a slice of it; only a chunk that spans several writes is copied.
    ///
    /// - Parameters:
    ///   - limit: the maximum length of the chunk in bytes.
    ///   - allocator: allocates a chunk that spans several writes.
    ///   - completing: gets the promises of the writes whose last byte is in the chunk.
    /// - Returns: the chunk, empty if only empty writes were flushed; `nil` if no write is flushed.
    mutating func nextChunk(
        limit: Int, allocator: ByteBufferAllocator, completing: inout [EventLoopPromise<Void>]
    ) -> ByteBuffer? {
        guard flushedCount > 0 else { return nil }
        removeEmptyWrites(completing: &completing)
        guard flushedCount > 0 else { return ByteBuffer() }
        let first = elements[elements.startIndex].bytes.readableBytes
        if first >= limit || flushedCount == 1 {
            let chunk = take(min(first, limit), completing: &completing)
            removeEmptyWrites(completing: &completing)
            return chunk
        }
        var chunk = allocator.buffer(capacity: flushedBytes(upTo: limit))
        while flushedCount > 0, chunk.readableBytes < limit {
            let available = elements[elements.startIndex].bytes.readableBytes
            var part = take(min(available, limit - chunk.readableBytes), completing: &completing)
            chunk.writeBuffer(&part)
        }
        removeEmptyWrites(completing: &completing)
        return chunk
    }

    /// Removes the writes that are not flushed and returns their promises.
    mutating func removeUnflushed() -> [EventLoopPromise<Void>] {
        let promises = elements.dropFirst(flushedCount).compactMap(\.promise)
        elements.removeLast(elements.count - flushedCount)
        return promises
    }

    /// Removes all writes and returns their promises.
    mutating func removeAll() -> [EventLoopPromise<Void>] {
        let promises = elements.compactMap(\.promise)
        elements = CircularBuffer(initialCapacity: 1)
        flushedCount = 0
        return promises
    }

    /// Removes bytes of the first write, and the write itself once it is empty.
    private mutating func take(_ count: Int, completing: inout [EventLoopPromise<Void>]) -> ByteBuffer {
        let index = elements.startIndex
        let part = elements[index].bytes.readSlice(length: count) ?? ByteBuffer()
        if elements[index].bytes.readableBytes == 0 { removeFirstWrite(completing: &completing) }
        return part
    }

    private mutating func removeEmptyWrites(completing: inout [EventLoopPromise<Void>]) {
        while flushedCount > 0, elements[elements.startIndex].bytes.readableBytes == 0 {
            removeFirstWrite(completing: &completing)
        }
    }

    private mutating func removeFirstWrite(completing: inout [EventLoopPromise<Void>]) {
        let element = elements.removeFirst()
        flushedCount -= 1
        if let promise = element.promise { completing.append(promise) }
    }
}
