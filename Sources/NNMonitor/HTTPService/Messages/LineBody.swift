import Compression
import Foundations
import NIOCore

/// A body of lines, which its handler decompresses.
package final class LineBody: Sendable {
    /// The bytes of compressed input that are decompressed before the memory for the output is reserved: as many as
    /// give little output. With the highest ratio of deflate, 16 bytes give 16 KiB.
    private static let largestSlice = 4096
    private static let smallestSlice = 16
    /// The output of a slice, in bytes, after which the next one is smaller.
    private static let largeOutput = 16 << 10
    /// The room in a piece of output below which the next piece begins.
    private static let leastRoom = 48 << 10

    private struct State {
        var pieces = BodyPieces()
        var budget: BodyBudget?
        var place: UInt64?
    }

    private let coding: RequestCoding
    private let limits: ExpansionLimits
    private let state = Locked(State())

    init(coding: RequestCoding, limits: ExpansionLimits) {
        self.coding = coding
        self.limits = limits
    }

    /// Appends a part of the body, as it was sent.
    func append(_ part: ByteBuffer) { state.withLock { $0.pieces.append(part) } }

    /// Takes the entry of the complete body in the budget.
    func finish(budget: BodyBudget, place: UInt64?) {
        state.withLock { state in
            state.budget = budget
            state.place = place
        }
    }

    /// Decompresses the whole body. Called once.
    ///
    /// The memory counts against the budget of all bodies until the handler returns. What is decompressed is freed, so
    /// body and text together take little more than the larger of them.
    ///
    /// - Returns: the lines.
    /// - Throws: `HTTPError` if the body is corrupt, cut off or too large, or if there is no memory for it.
    package func text() throws(HTTPError) -> LineText {
        guard case .compressed(let format) = coding else {
            return LineText(
                state.withLock { state in
                    defer { state.pieces = BodyPieces() }
                    return state.pieces
                })
        }
        do throws(BodyFailure) {
            return LineText(try decompressed(format))
        } catch {
            throw HTTPError(error.response)
        }
    }

    private func decompressed(_ format: CompressionFormat) throws(BodyFailure) -> BodyPieces {
        var output = BodyPieces()
        var inflater: Inflater
        do throws(CompressionError) {
            inflater = try Inflater(format: format, limits: limits)
        } catch {
            throw BodyFailure(error)
        }
        var isEmpty = true
        var text = ByteBuffer()
        var sliceSize = Self.smallestSlice
        // Each piece has only this reference, so it is freed when the next one is taken.
        while var piece = state.withLock({ $0.pieces.popFirst() }) {
            let size = piece.readableBytes
            isEmpty = isEmpty && size == 0
            while var slice = piece.readSlice(length: min(sliceSize, piece.readableBytes)), slice.readableBytes > 0 {
                let before = text.readableBytes
                do throws(CompressionError) {
                    try inflater.inflate(&slice, into: &text)
                } catch {
                    throw BodyFailure(error)
                }
                let produced = text.readableBytes - before
                try reserve(produced)
                let isLarge = produced > Self.largeOutput
                sliceSize = isLarge ? max(sliceSize / 4, Self.smallestSlice) : min(sliceSize * 2, Self.largestSlice)
                guard text.readableBytes > BodyPieces.size - Self.leastRoom else { continue }
                output.append(piece: text)
                text = ByteBuffer()
                text.reserveCapacity(BodyPieces.size)
            }
            release(size)
        }
        // An empty body is valid with every content coding.
        if isEmpty { return output }
        do throws(CompressionError) {
            try inflater.finish()
        } catch {
            throw BodyFailure(error)
        }
        output.append(piece: text)
        return output
    }

    private func reserve(_ count: Int) throws(BodyFailure) {
        let (budget, place) = state.withLock { ($0.budget, $0.place) }
        guard let budget, let place, count > 0 else { return }
        try budget.grow(place, by: count, now: .now())
    }

    private func release(_ count: Int) {
        let (budget, place) = state.withLock { ($0.budget, $0.place) }
        guard let budget, let place else { return }
        budget.shrink(place, by: count)
    }
}
