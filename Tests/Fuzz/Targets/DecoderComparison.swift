@testable import HTTPService
import NIOHTTP1

/// Compares `RequestDecoder` with NIO's decoder, which is llhttp: a request that both accept is read the same by both,
/// to the same byte. Each class of requests that only one of them accepts is named here; a request in no class violates
/// the comparison.
struct DecoderComparison {
    /// Requests that NIO's decoder accepts and the server refuses.
    private enum OnlyNIO: CaseIterable {
        /// Bare CR or LF, or other bytes, before the request line; several spaces or a tab between its words; other
        /// line ends than CRLF; the versions of RTSP and ICE.
        case looseRequestLine
        /// Bytes that a URI cannot contain, or a fragment.
        case targetOutsideURI
        /// A request line without a version, which is HTTP/0.9.
        case noVersion
        /// The methods of RTSP and ICE.
        case foreignMethod
        /// HTTP/1.2 and later.
        case laterVersion
        /// A target of more than `targetSize` bytes.
        case longTarget
        /// White space, line ends or framing that exceed the size limit: NIO counts names and values only.
        case largeHead
        /// Two fields of a name that must be unique.
        case duplicateField
        /// `Content_Length` and the like, which gateways confuse with the framing fields.
        case disguisedFraming
        /// A chunk extension without a name, or with an empty value.
        case emptyExtension
        /// A trailer with a field that affects framing, routing or authorization.
        case forbiddenTrailer
        /// Transfer codings before chunked, such as gzip.
        case otherCoding
        /// A `Transfer-Encoding` with an empty list element, which servers read differently.
        case emptyCoding
        /// `Transfer-Encoding` in HTTP/1.0.
        case codingOfHTTP10

        /// The failures with which the server refuses the class.
        var failures: [RequestFailure] {
            switch self {
            case .looseRequestLine:
                [.malformed("This is not an HTTP request"), .malformed("The request line is not valid")]
            case .targetOutsideURI:
                [.malformed("The request's target has a character that must be percent-encoded")]
            case .noVersion: [.malformed("The request line has no version")]
            case .foreignMethod: [.methodUnknown]
            case .laterVersion: [.versionNotSupported]
            case .longTarget: [.targetTooLong]
            case .largeHead: [.headersTooLarge]
            case .duplicateField:
                ["Host", "Origin", "Authorization", "Content-Type"].map {
                    .malformed("The request has more than one \($0) header")
                }
            case .disguisedFraming:
                [.malformed("Content-Length and Transfer-Encoding must be written with a hyphen")]
            case .emptyExtension: [.malformed("The chunked body is not valid")]
            case .forbiddenTrailer: [.malformed("The trailer has a field that is not allowed in a trailer")]
            case .otherCoding: [.transferCodingUnknown]
            case .emptyCoding: [.malformed("The Transfer-Encoding is not valid")]
            case .codingOfHTTP10: [.malformed("HTTP/1.0 does not allow Transfer-Encoding")]
            }
        }

        static func contains(_ failure: RequestFailure) -> Bool {
            allCases.contains { $0.failures.contains(failure) }
        }
    }

    /// Requests that the server accepts and NIO's decoder refuses or ends elsewhere.
    private enum OnlyOurs: CaseIterable {
        /// CONNECT: NIO ends it after its head, because a tunnel follows. The server refuses it by its method and
        /// closes.
        case connect
        /// An authority with more than one `@`. The server refuses it when it compares the host.
        case authority
        /// A framing field with a tab behind its value: RFC 9110 section 5.5 permits it around any value.
        case tabBehindFraming

        /// - Parameters:
        ///   - request: the request.
        ///   - message: its bytes.
        /// - Returns: whether the request belongs to the class.
        func contains(_ request: ReadRequest, _ message: ArraySlice<UInt8>) -> Bool {
            switch self {
            case .connect: request.method == "CONNECT"
            case .authority: request.target.utf8.count { $0 == UInt8(ascii: "@") } > 1
            case .tabBehindFraming:
                message.split(separator: UInt8(ascii: "\n")).contains { line in
                    let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
                    guard parts.count == 2 else { return false }
                    let name = String(decoding: parts[0], as: UTF8.self).lowercased()
                    return ["content-length", "transfer-encoding"].contains(name)
                        && parts[1].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                            .contains(UInt8(ascii: "\t"))
                }
            }
        }
    }

    let limits: RequestDecoder.Limits

    /// Reads an input with both decoders and checks that they agree.
    func check(_ bytes: [UInt8]) {
        let (requests, failure) = ReadRequest.ours(bytes, limits: limits)
        var start = 0
        for (request, end) in requests {
            defer { start = end }
            let message = bytes[start..<end]
            guard !OnlyOurs.allCases.contains(where: { $0.contains(request, message) }) else { continue }
            let other = ReadRequest.nio(message, limits: limits)
            require(other == request, "NIO reads the same request: \(request), not \(String(describing: other))")
            require(
                ReadRequest.nio(message.dropLast(), limits: limits) == nil,
                "NIO ends the request at the same byte: \(request)")
        }
        guard let failure, !OnlyNIO.contains(failure) else { return }
        let other = ReadRequest.nio(bytes[start...], limits: limits)
        require(
            other == nil, "NIO refuses what is refused with \(failure), and does not read \(String(describing: other))")
    }
}
