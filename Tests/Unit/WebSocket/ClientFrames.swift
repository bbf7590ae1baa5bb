import NIOCore
import NIOWebSocket

@testable import WebSocket

/// Encodes the masked frames of a client.
enum ClientFrames {
    /// Encodes a frame; `reserved` are the bits RSV1 to RSV3, RSV1 highest.
    static func frame(
        _ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, reserved: UInt8 = 0,
        mask: [UInt8]? = [0x12, 0x34, 0x56, 0x78]
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger((isFinal ? 0x80 : 0) | reserved << 4 | opcode)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ..<126: buffer.writeInteger(maskBit | UInt8(payload.count))
        case ..<65_536:
            buffer.writeInteger(maskBit | 126)
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(maskBit | 127)
            buffer.writeInteger(UInt64(payload.count))
        }
        if let mask {
            buffer.writeBytes(mask)
            buffer.writeBytes(payload.enumerated().map { $1 ^ mask[$0 % 4] })
        } else {
            buffer.writeBytes(payload)
        }
        return buffer
    }

    static func text(_ text: String, isFinal: Bool = true) -> ByteBuffer {
        frame(0x1, Array(text.utf8), isFinal: isFinal)
    }

    static func close(_ code: UInt16?, reason: [UInt8] = []) -> ByteBuffer {
        frame(0x8, (code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []) + reason)
    }
}

/// A frame of the server, as parsed by a client.
struct ServerFrame: Equatable {
    let opcode: UInt8
    let isFinal: Bool
    let isCompressed: Bool
    let payload: [UInt8]

    /// Parses one frame; returns `nil` if it is incomplete.
    static func read(_ buffer: inout ByteBuffer) -> ServerFrame? {
        guard let first = buffer.readInteger(as: UInt8.self), let second = buffer.readInteger(as: UInt8.self) else {
            return nil
        }
        var length = Int(second)
        if length == 126 { length = buffer.readInteger(as: UInt16.self).map(Int.init) ?? 0 }
        if length == 127 { length = buffer.readInteger(as: UInt64.self).map(Int.init) ?? 0 }
        guard let payload = buffer.readBytes(length: length) else { return nil }
        return ServerFrame(
            opcode: first & 15, isFinal: first & 0x80 != 0, isCompressed: first & 0x40 != 0, payload: payload)
    }
}
