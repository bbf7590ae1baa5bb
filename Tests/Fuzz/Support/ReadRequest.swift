@testable import HTTPService
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Foundations

/// A request as a decoder has read it.
struct ReadRequest: Equatable {
    var method: String
    var target: String
    var isHTTP10: Bool
    var fields: [[String]]
    var body: [UInt8] = []
    var trailers: [[String]] = []

    private static func list(_ headers: HTTPHeaders) -> [[String]] {
        // NIO's decoder keeps the white space behind a value.
        headers.map { [$0.name, $0.value.trimmed] }
    }
}

extension ReadRequest {
    /// The requests that the server's decoder reads.
    ///
    /// - Parameters:
    ///   - bytes: the input, which is fed byte by byte.
    ///   - limits: the limits on heads.
    /// - Returns: each request with the offset after its last byte, and the failure of the request behind them.
    static func ours(
        _ bytes: [UInt8], limits: RequestDecoder.Limits
    ) -> (requests: [(request: ReadRequest, end: Int)], failure: RequestFailure?) {
        var decoder = RequestDecoder(limits: limits)
        var requests: [(request: ReadRequest, end: Int)] = []
        var current: ReadRequest?
        for (offset, byte) in bytes.enumerated() {
            decoder.append(ByteBuffer(bytes: [byte]))
            do throws(RequestFailure) {
                while let event = try decoder.next() {
                    switch event {
                    case .head(let head):
                        current = ReadRequest(
                            method: head.method.rawValue, target: head.uri, isHTTP10: head.isHTTP10,
                            fields: list(head.headers))
                    case .body(let bytes): current?.body += Array(bytes.readableBytesView)
                    case .end(let trailers):
                        current?.trailers = list(trailers)
                        if let request = current { requests.append((request, offset + 1)) }
                        current = nil
                    }
                }
            } catch {
                return (requests, error)
            }
        }
        return (requests, nil)
    }

    /// The first request that NIO's decoder reads.
    ///
    /// - Returns: the request; nil if it is not complete or not accepted.
    static func nio(_ bytes: some Collection<UInt8>, limits: RequestDecoder.Limits) -> ReadRequest? {
        var configuration = NIOHTTPDecoderLimitConfiguration()
        configuration.maxHeaderFieldSize = limits.headSize
        configuration.maxHeaderListSize = limits.headSize
        configuration.maxHeaderFieldCount = limits.fieldCount
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: configuration)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(decoder))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        // An error after the first request also throws. The parts before it have been received.
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        var current: ReadRequest?
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                current = ReadRequest(
                    method: head.method.rawValue, target: head.uri, isHTTP10: head.version.minor == 0,
                    fields: list(head.headers))
            case .body(let bytes): current?.body += Array(bytes.readableBytesView)
            case .end(let trailers):
                current?.trailers = trailers.map { list($0) } ?? []
                return current
            }
        }
        return nil
    }
}
