import Compression
package import NIOCore

/// A complete body of lines, which its handler decompresses.
package struct LineBody: Sendable {
    /// The bytes of compressed input that are decompressed before the memory for the output is reserved: with the
    /// highest ratio of deflate they give four MiB.
    private static let pieceSize = 4096

    private let coding: RequestCoding
    private let limits: ExpansionLimits
    private var bytes = ByteBuffer()
    private var budget: BodyBudget?
    private var place: UInt64?

    init(coding: RequestCoding, limits: ExpansionLimits) {
        self.coding = coding
        self.limits = limits
    }

    /// Takes the body as it was sent, and its entry in the budget.
    mutating func receive(_ bytes: ByteBuffer, budget: BodyBudget, place: UInt64?) {
        self.bytes = bytes
        self.budget = budget
        self.place = place
    }

    /// Decompresses the whole body.
    ///
    /// The memory counts against the budget of all bodies until the handler returns.
    ///
    /// - Returns: the text of the lines.
    /// - Throws: `HTTPError` if the body is corrupt, cut off or too large, or if there is no memory for it.
    package func text() throws(HTTPError) -> ByteBuffer {
        guard case .compressed(let format) = coding, bytes.readableBytes > 0 else { return bytes }
        do throws(BodyFailure) {
            return try decompressed(format)
        } catch {
            throw HTTPError(error.response)
        }
    }

    private func decompressed(_ format: CompressionFormat) throws(BodyFailure) -> ByteBuffer {
        var text = ByteBuffer()
        var inflater: Inflater
        do throws(CompressionError) {
            inflater = try Inflater(format: format, limits: limits)
        } catch {
            throw BodyFailure(error)
        }
        var rest = bytes
        while var piece = rest.readSlice(length: min(Self.pieceSize, rest.readableBytes)), piece.readableBytes > 0 {
            let before = text.readableBytes
            do throws(CompressionError) {
                try inflater.inflate(&piece, into: &text)
            } catch {
                throw BodyFailure(error)
            }
            try reserve(text.readableBytes - before)
        }
        do throws(CompressionError) {
            try inflater.finish()
        } catch {
            throw BodyFailure(error)
        }
        return text
    }

    private func reserve(_ count: Int) throws(BodyFailure) {
        guard let budget, let place, count > 0 else { return }
        try budget.grow(place, by: count, now: .now())
    }
}
