import Compression
import NIOCore

/// The inflater in every format.
///
/// The result does not depend on how the stream is split, the limits always hold, and inflating the output of our
/// deflater restores the bytes.
final class InflaterTarget: FuzzTarget {
    private enum Outcome {
        case expanded(ByteBuffer)
        case refused(CompressionError)
    }

    private static let limits = ExpansionLimits(maximumSize: 100_000, maximumRatio: 50)
    /// Bytes that may be produced beyond the limit before the check: the output buffer of one zlib call.
    private static let slack = 65_536

    init() {}

    func run(_ input: [UInt8]) {
        var choices = Choices(input)
        // Only the full window. With a smaller one, zlib detects a distance that is too far only after it has written
        // the window, which depends on the splitting.
        let formats: [CompressionFormat] = [.gzip, .zlib, .deflate, .raw(windowBits: 15)]
        let format = formats[choices.number(in: 0...formats.count - 1)]
        let seed = choices.number(in: 0...255)
        let bytes = ByteBuffer(bytes: choices.payload)

        let whole = expand([bytes], format)
        let cut = expand(bytes.pieces(seed: seed), format)
        require(
            Self.isSame(whole, cut), "the same result however the stream is cut: \(whole) whole, \(cut) in pieces")
        roundTrip(bytes, format)
    }

    private func expand(_ pieces: [ByteBuffer], _ format: CompressionFormat) -> Outcome {
        var output = ByteBuffer()
        do throws(CompressionError) {
            var inflater = try Inflater(format: format, limits: Self.limits)
            for piece in pieces {
                var piece = piece
                try inflater.inflate(&piece, into: &output)
                require(piece.readableBytes == 0, "a piece is consumed whole")
                require(output.readableBytes <= Self.limits.maximumSize, "what is handed on is within the limit")
            }
            try inflater.finish()
            return .expanded(output)
        } catch {
            require(output.readableBytes <= Self.limits.maximumSize + Self.slack, "a refused stream costs little")
            return .refused(error)
        }
    }

    /// Whether two results are equivalent.
    ///
    /// The ratio is checked after each piece, so a stream that exceeds it only temporarily may be rejected for one
    /// splitting and not for another. For a corrupt stream, the zlib error, and whether the error or the limit is
    /// reached first, depend on the splitting too.
    private static func isSame(_ one: Outcome, _ other: Outcome) -> Bool {
        switch (one, other) {
        case (.expanded(let left), .expanded(let right)): left == right
        case (.refused, .refused): true
        case (.refused(.ratioExceeded), _), (_, .refused(.ratioExceeded)): true
        default: false
        }
    }

    private func roundTrip(_ bytes: ByteBuffer, _ format: CompressionFormat) {
        do {
            var deflater = try Deflater(format: format, level: 4)
            var compressed = ByteBuffer()
            try deflater.deflate(bytes, into: &compressed, flush: .finish)
            let limits = ExpansionLimits(maximumSize: bytes.readableBytes, maximumRatio: 2000)
            var inflater = try Inflater(format: format, limits: limits)
            var output = ByteBuffer()
            try inflater.inflate(&compressed, into: &output)
            try inflater.finish()
            require(output == bytes, "what was deflated comes back")
        } catch {
            fatalError("what was deflated is inflated: \(error)")
        }
    }
}
