import HTTPService
import MonitorCore
import NIOCore

/// Writes a JSON body in pieces, as fast as the connection takes them.
struct PieceWriter {
    /// What is written next.
    var json = JSONWriter()
    private let body: any BodyWriter
    private let reservation: ResponseReservation
    private let memory: @Sendable (Int) -> Int

    /// - Parameters:
    ///   - body: receives the pieces.
    ///   - reservation: the memory of the response.
    ///   - memory: what the response needs at once, by the size of a piece.
    init(_ body: any BodyWriter, _ reservation: ResponseReservation, memory: @escaping @Sendable (Int) -> Int) {
        self.body = body
        self.reservation = reservation
        self.memory = memory
    }

    /// Sends the written bytes if they fill a piece.
    @inline(__always)
    mutating func sendPiece() async throws {
        if json.bytes.count >= streamPieceSize { try await send() }
    }

    /// Sends the written bytes.
    mutating func send() async throws {
        guard reservation.grow(to: memory(json.bytes.count)) else { throw HTTPServiceError.connectionClosed }
        if !json.bytes.isEmpty { try await body.write(ByteBuffer(bytes: json.bytes)) }
        json.removeAll()
    }
}
