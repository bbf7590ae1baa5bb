import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

/// The checks before the decoder: request lines and message boundaries.
@Suite struct MessageBoundsTests {
    /// Parses a line byte by byte: its length or the failure; nil if it is incomplete.
    func outcome(_ line: String, maximumTargetSize: Int = 100) -> Result<Int, RequestFailure>? {
        var reader = RequestLine()
        for (index, byte) in line.utf8.enumerated() {
            do throws(RequestFailure) {
                if try reader.take(byte, maximumTargetSize: maximumTargetSize) { return .success(index + 1) }
            } catch {
                return .failure(error)
            }
        }
        return nil
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "\r\n\r\nOPTIONS * HTTP/1.0\r\n", "M-SEARCH /a%2F?b=c&d[]=e HTTP/1.1\r\n",
        "GET http://[::1]:80/~a;b,c'(d)!$@ HTTP/1.1\r\n", "brew / HTTP/1.1\r\n",
    ])
    func aLineThatEverybodyReadsAlikeEndsWithItsLineFeed(line: String) {
        #expect(self.outcome(line + "Host: h\r\n") == .success(line.utf8.count))
    }

    @Test(arguments: [
        " GET / HTTP/1.1\r\n", "\nGET / HTTP/1.1\r\n", "\rGET / HTTP/1.1\r\n", "GET  / HTTP/1.1\r\n",
        "GET /  HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n", "GET\t/ HTTP/1.1\r\n", "GET /\tHTTP/1.1\r\n", "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r\r\n", "GET /\r\n", "GET\r\n", "GET / HTTP/1\r\n", "GET / HTTP/1.10\r\n", "GET / http/1.1\r\n",
        "GET / RTSP/1.0\r\n", "GET / HTTP/1,1\r\n", "G(T / HTTP/1.1\r\n", "GET /a\\b HTTP/1.1\r\n",
        "GET /#a HTTP/1.1\r\n",
        "GET /é HTTP/1.1\r\n", "GET /\u{0} HTTP/1.1\r\n", "GET /\u{7f} HTTP/1.1\r\n", "GET /{a} HTTP/1.1\r\n",
    ])
    func aLineThatCanBeReadInTwoWaysIsMalformed(line: String) throws {
        let failure = #expect(throws: RequestFailure.self) { _ = try self.outcome(line)?.get() }
        guard case .malformed = failure else { throw try #require(failure) }
    }

    @Test func otherVersionsAndLongTargetsAreNamed() {
        for version in ["0.9", "1.2", "2.0", "9.9"] {
            #expect(self.outcome("GET / HTTP/\(version)\r\n") == .failure(.versionNotSupported))
        }
        #expect(self.outcome("GET /1234 HTTP/1.1\r\n", maximumTargetSize: 5) == .success(20))
        #expect(self.outcome("GET /12345 HTTP/1.1\r\n", maximumTargetSize: 5) == .failure(.targetTooLong))
        #expect(self.outcome("GET /12345", maximumTargetSize: 5) == .failure(.targetTooLong))
    }

    // MARK: Pieces

    /// Cuts `text` into pieces. `decode` replaces the decoder.
    func pieces(
        _ text: String, inReadsOf readSize: Int = .max, limit: Int = 1_000,
        decode: (inout MessageBounds, String) -> Void
    ) throws -> [String] {
        var configuration = HTTPConfiguration()
        configuration.maximumHeaderBytes = limit
        var bounds = MessageBounds(configuration)
        var rest = ByteBuffer(string: text)
        var pieces: [String] = []
        while var input = rest.readSlice(length: min(readSize, rest.readableBytes)), input.readableBytes > 0 {
            while input.readableBytes > 0 {
                guard let bytes = try bounds.takePiece(of: &input) else { continue }
                let piece = String(buffer: bytes)
                pieces.append(piece)
                decode(&bounds, piece)
                try bounds.pieceWasDecoded()
            }
        }
        return pieces
    }

    let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")

    @Test func noPieceReachesIntoASecondMessage() throws {
        let post = "POST / HTTP/1.1\r\n\r\n"
        var counted = self.head
        counted.headers = ["Content-Length": "5"]
        let pieces = try self.pieces(self.get + post + "a\r\n\r\n" + self.get) { bounds, piece in
            if piece == post { return bounds.decoded(.head(counted)) }
            bounds.decoded(piece == self.get ? .head(self.head) : .body(ByteBuffer(string: piece)))
            bounds.decoded(.end(nil))
        }
        #expect(pieces == [self.get, post, "a\r\n\r\n", self.get])
    }

    @Test func aChunkedBodyIsCutAtEmptyLinesAndEndsWhereTheDecoderSays() throws {
        let post = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        let body = ["5\r\na\r\n\r\n", "\r\n", "0\r\n\r\n"]
        var chunked = self.head
        chunked.headers = ["Transfer-Encoding": "chunked"]
        for readSize in [1, 2, 3, 7, 1_000] {
            var seen = ""
            let pieces = try self.pieces(
                post + body.joined() + self.get, inReadsOf: readSize
            ) { bounds, piece in
                seen += piece
                if seen == post { bounds.decoded(.head(chunked)) }
                if seen == post + body.joined() { bounds.decoded(.end(nil)) }
                if seen.hasSuffix(self.get) {
                    bounds.decoded(.head(self.head))
                    bounds.decoded(.end(nil))
                }
            }
            #expect(pieces.joined() == post + body.joined() + self.get)
            if readSize == 1_000 { #expect(pieces == [post] + body + [self.get]) }
        }
    }

    @Test func aDecoderThatReadsAnotherMessageIsNotBelieved() {
        #expect(throws: RequestFailure.malformed("This is not a valid HTTP request")) {
            try self.pieces(self.get + "x") { _, _ in }
        }
        #expect(throws: RequestFailure.malformed("This is not a valid HTTP request")) {
            try self.pieces(self.get + "x") { bounds, _ in bounds.decoded(.head(self.head)) }
        }
    }

    @Test func aHeadIsAsLongAsItsBytesWhateverTheyMean() throws {
        let long = "GET / HTTP/1.1\r\nX:" + String(repeating: " ", count: 78) + "\r\n\r\n"
        #expect(long.utf8.count == 100)
        for readSize in [1, 1_000] {
            _ = try self.pieces(long, inReadsOf: readSize, limit: 100) { _, _ in }
            #expect(throws: RequestFailure.headersTooLarge) {
                try self.pieces(long, inReadsOf: readSize, limit: 99) { _, _ in }
            }
        }
        let line = "GET /" + String(repeating: "a", count: 95)
        _ = try self.pieces(line, limit: 100) { _, _ in }
        #expect(throws: RequestFailure.targetTooLong) { try self.pieces(line + "a", limit: 100) { _, _ in } }
        let empty = String(repeating: "\r\n", count: 50)
        _ = try self.pieces(empty, limit: 100) { _, _ in }
        #expect(throws: RequestFailure.headersTooLarge) { try self.pieces(empty + "\r", limit: 100) { _, _ in } }
    }

    @Test func whatSurroundsAChunkedBodyCountsAsHead() throws {
        let post = "POST / HTTP/1.1\r\n\r\n"
        var chunked = self.head
        chunked.headers = ["Transfer-Encoding": "chunked"]
        func read(_ body: String, parts: [Int]) throws {
            _ = try self.pieces(post + body, limit: 100) { bounds, piece in
                if piece == post { return bounds.decoded(.head(chunked)) }
                for part in parts { bounds.decoded(.body(ByteBuffer(repeating: 0x61, count: part))) }
            }
        }
        // The head has 19 bytes; 16 bytes per part are not counted.
        let line = "1;" + String(repeating: "x", count: 90) + "\r\na\r\n"
        #expect(line.utf8.count == 97)
        try read(line, parts: [1])
        #expect(throws: RequestFailure.headersTooLarge) { try read("11" + line, parts: [1]) }
        try read(String(repeating: "1;name=value\r\na\r\n", count: 100), parts: Array(repeating: 1, count: 100))
    }
}
