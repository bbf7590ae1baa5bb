import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct RequestDecoderTests {
    /// The events of an input, as text, one line each; adjacent pieces of a body are joined.
    func events(
        _ text: String, inReadsOf size: Int = .max, headSize: Int = 1_000, fieldCount: Int = 10, targetSize: Int = 100
    ) -> [String] {
        var decoder = RequestDecoder(
            limits: RequestDecoder.Limits(headSize: headSize, fieldCount: fieldCount, targetSize: targetSize))
        var rest = ByteBuffer(string: text)
        var events: [String] = []
        var body = ""
        while let bytes = rest.readSlice(length: min(size, rest.readableBytes)), bytes.readableBytes > 0 {
            decoder.append(bytes)
            do throws(RequestFailure) {
                while let event = try decoder.next() {
                    switch event {
                    case .head(let head):
                        events.append("\(head.method.rawValue) \(head.uri) \(head.isHTTP10 ? "1.0" : "1.1")")
                        events += head.headers.map { "\($0.name): [\($0.value)]" }
                    case .body(let bytes): body += String(buffer: bytes)
                    case .end(let trailers):
                        events.append("body [\(body)]")
                        events += trailers.map { "trailer \($0.name): [\($0.value)]" }
                        body = ""
                    }
                }
            } catch {
                return events + ["\(error)"]
            }
        }
        return events
    }

    /// The failure of an input; nil if it has none. It must not depend on how the input is split.
    func failure(_ text: String, headSize: Int = 1_000, fieldCount: Int = 10, targetSize: Int = 100) -> String? {
        let whole = events(text, headSize: headSize, fieldCount: fieldCount, targetSize: targetSize)
        for size in [1, 2, 3, 7] {
            #expect(
                events(text, inReadsOf: size, headSize: headSize, fieldCount: fieldCount, targetSize: targetSize)
                    == whole)
        }
        let isFailure = ["malformed", "versionNotSupported", "headersTooLarge", "targetTooLong", "methodUnknown"]
            .contains { whole.last?.hasPrefix($0) == true }
        return isFailure || whole.last == "transferCodingUnknown" ? whole.last : nil
    }

    let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "\r\n\r\nOPTIONS * HTTP/1.0\r\n", "M-SEARCH /a%2F?b=c&d[]=e HTTP/1.1\r\n",
        "GET http://[::1]:80/~a;b,c'(d)!$@ HTTP/1.1\r\n", "CONNECT h:80 HTTP/1.1\r\n",
    ])
    func `A request line that all servers read alike is accepted`(line: String) {
        let words = line.split(separator: " ").map { $0.filter { !$0.isNewline } }
        #expect(events(line + "\r\n") == ["\(words[0]) \(words[1]) \(words[2].suffix(3))", "body []"])
        #expect(failure(line + "\r\n") == nil)
    }

    @Test(arguments: [
        " GET / HTTP/1.1\r\n", "\nGET / HTTP/1.1\r\n", "\rGET / HTTP/1.1\r\n", "GET  / HTTP/1.1\r\n",
        "GET /  HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n", "GET\t/ HTTP/1.1\r\n", "GET /\tHTTP/1.1\r\n", "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r\r\n", "GET /\r\n", "GET\r\n", "GET / HTTP/1\r\n", "GET / HTTP/1.10\r\n", "GET / http/1.1\r\n",
        "GET / RTSP/1.0\r\n", "GET / HTTP/1,1\r\n", "G(T / HTTP/1.1\r\n", "GET /a\\b HTTP/1.1\r\n",
        "GET /#a HTTP/1.1\r\n", "GET /é HTTP/1.1\r\n", "GET /\u{0} HTTP/1.1\r\n", "GET /\u{7f} HTTP/1.1\r\n",
        "GET /{a} HTTP/1.1\r\n", "GET a HTTP/1.1\r\n", "GET h:80 HTTP/1.1\r\n", "GET http:/a HTTP/1.1\r\n",
        "GET ?a HTTP/1.1\r\n",
    ])
    func `A request line that can be read in two ways is malformed`(line: String) throws {
        #expect(try #require(failure(line)).hasPrefix("malformed"))
    }

    @Test func `Other versions, unknown methods and long targets have failures of their own`() {
        for version in ["0.9", "1.2", "2.0", "9.9"] {
            #expect(failure("GET / HTTP/\(version)\r\n") == "versionNotSupported")
        }
        #expect(failure("PRI * HTTP/1.1\r\n") == "versionNotSupported")
        for method in ["brew", "get", "GETX", "SOURCE", "DESCRIBE"] {
            #expect(failure("\(method) / HTTP/1.1\r\n") == "methodUnknown")
        }
        #expect(failure("GET /1234 HTTP/1.1\r\n\r\n", targetSize: 5) == nil)
        #expect(failure("GET /12345 HTTP/1.1\r\n", targetSize: 5) == "targetTooLong")
        #expect(failure("GET /12345", targetSize: 5) == "targetTooLong")
    }

    @Test func `A field's value has no white space around it, and its name keeps its case`() {
        let text = "GET / HTTP/1.1\r\nX-a:\t a \t b \t\r\ny:\r\nZ:\u{e9}\r\n\r\n"
        #expect(events(text) == ["GET / 1.1", "X-a: [a \t b]", "y: []", "Z: [\u{e9}]", "body []"])
        for size in 1...9 { #expect(events(text, inReadsOf: size) == events(text)) }
    }

    @Test(arguments: [
        "X : y", " X: y", "X: y\r\n z", "X", ": y", "X: a\nb", "X: a\rb", "X: \u{0}", "X: y\n", "X: y\r", "X\u{0}: y",
        "Host: a\r\nhost: a", "Origin: a\r\nOrigin: b", "Authorization: a\r\nAuthorization: a",
        "Content-Type: a\r\nContent-Type: a", "Content-Length: 1\r\nContent-Length: 1", "Content-Length:",
        "Content-Length: +1", "Content-Length: 1, 1", "Content-Length: 18446744073709551616", "Content_Length: 1",
        "Transfer_Encoding: chunked", "Transfer-Encoding:", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked,", "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
    ])
    func `A head that can be read in two ways is malformed`(lines: String) throws {
        #expect(try #require(failure("POST / HTTP/1.1\r\n\(lines)\r\n\r\nabc")).hasPrefix("malformed"))
    }

    @Test(arguments: ["gzip", "gzip, chunked", "identity", "chunked;q=1", "chun\u{212a}ed"])
    func `Other transfer codings are unknown`(coding: String) {
        #expect(failure("POST / HTTP/1.1\r\nTransfer-Encoding: \(coding)\r\n\r\n") == "transferCodingUnknown")
    }

    @Test func `A request ends where its framing ends, and the next begins there`() {
        let text =
            get + "POST / HTTP/1.1\r\nContent-Length: 005\r\n\r\na\r\n\r\n" + chunked
            + "4\r\na\r\n\r\r\n02;a;b=c;d=\"e\\\"\"\r\n\nb\r\n0\r\nX: y\r\n\r\n" + "\r\n" + get
        let expected = [
            "GET / 1.1", "Host: [h]", "body []", "POST / 1.1", "Content-Length: [005]", "body [a\r\n\r\n]",
            "POST / 1.1", "Transfer-Encoding: [chunked]", "body [a\r\n\r\nb]", "trailer X: [y]", "GET / 1.1",
            "Host: [h]", "body []",
        ]
        for size in [1, 2, 3, 7, 1_000] { #expect(events(text, inReadsOf: size) == expected) }
    }

    @Test(arguments: [
        "", "x", "+1", "0x1", " 1", "1 ", "1\n", "1;", "1;=a", "1; a", "1;a=", "1;a=\"b", "1;a=\"b\"c", "1;;a",
        "10000000000000000", "1;a\u{0}",
    ])
    func `A chunk's line that can be read in two ways is malformed`(line: String) {
        #expect(failure(chunked + line + "\r\na\r\n0\r\n\r\n") == "malformed(\"The chunked body is not valid\")")
    }

    @Test func `A chunk ends with CRLF, and a trailer has no field that affects the request`() throws {
        for end in ["", "\n", "\r", "a\r\n"] {
            #expect(failure(chunked + "1\r\na\(end)0\r\n\r\n") == "malformed(\"The chunked body is not valid\")")
        }
        for field in ["Host: h", "content-length: 1", "Authorization: a"] {
            let found = try #require(failure(chunked + "0\r\nX: y\r\n\(field)\r\n\r\n"))
            #expect(found.hasPrefix("malformed(\"The trailer has a field"))
        }
    }

    @Test func `The size of a head is the number of its bytes`() {
        let long = "GET / HTTP/1.1\r\nX:" + String(repeating: " ", count: 78) + "\r\n\r\n"
        #expect(long.utf8.count == 100)
        #expect(failure(long, headSize: 100) == nil)
        #expect(failure(long, headSize: 99) == "headersTooLarge")
        let line = "GET /" + String(repeating: "a", count: 95)
        #expect(failure(line, headSize: 100) == nil)
        #expect(failure(line + "a", headSize: 100) == "targetTooLong")
        let empty = String(repeating: "\r\n", count: 50)
        #expect(failure(empty, headSize: 100) == nil)
        #expect(failure(empty + "\r", headSize: 100) == "headersTooLarge")
    }

    @Test func `The fields of head and trailer are limited together`() {
        let text = chunked + "0\r\na: b\r\nc: d\r\n\r\n"
        #expect(failure(text, fieldCount: 3) == nil)
        #expect(failure(text, fieldCount: 2) == "headersTooLarge")
    }

    @Test func `The framing of a chunked body counts as head, but for sixteen bytes a chunk`() {
        let head = chunked.utf8.count
        // The line of the chunk has 94 bytes and its end two: 80 of them count.
        let line = "1;" + String(repeating: "x", count: 90) + "\r\na\r\n"
        #expect(failure(chunked + line, headSize: head + 80) == nil)
        #expect(failure(chunked + line, headSize: head + 79) == "headersTooLarge")
        let short = String(repeating: "1;name=val\r\na\r\n", count: 100)
        #expect(failure(chunked + short, headSize: head) == nil)
        #expect(failure(chunked + String(repeating: "0", count: 15), headSize: head) == "headersTooLarge")
    }

    @Test func `Input behind a request stays undecoded until the next event is requested`() throws {
        var decoder = RequestDecoder(
            limits: RequestDecoder.Limits(headSize: 100, fieldCount: 10, targetSize: 100))
        decoder.append(ByteBuffer(string: get + "GET /half"))
        guard case .head = try decoder.next(), case .end = try decoder.next() else {
            Issue.record("the request is complete")
            return
        }
        #expect(decoder.hasUnscannedInput)
        #expect(try decoder.next() == nil)
        #expect(!decoder.hasUnscannedInput)
        decoder.append(ByteBuffer(string: "x"))
        #expect(decoder.hasUnscannedInput)
        #expect(String(buffer: decoder.takeInput()) == "GET /halfx")
    }
}
