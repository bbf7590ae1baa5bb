import Compression
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct NegotiationTests {
    @Test(arguments: [
        ("gzip", true), ("deflate, gzip;q=0.5", true), ("gzip;q=0", false), ("*", true), ("*;q=0", false),
        ("gzip;q=0, *", false), ("identity", false), ("gzip;q=0.5, identity;q=0.8", false), ("GZIP ; Q=1", true),
        ("br", false), ("", false), ("x-gzip", true), ("gzip;q=abc", false),
    ])
    func `Accept-Encoding is evaluated with its qualities`(value: String, expected: Bool) {
        #expect(AcceptEncoding.prefersGzip(["Accept-Encoding": value]) == expected)
    }

    @Test func `Content-Encoding may list one coding`() {
        #expect(RequestCoding.of([:]) == .identity)
        #expect(RequestCoding.of(["Content-Encoding": "identity"]) == .identity)
        #expect(RequestCoding.of(["Content-Encoding": "X-GZIP"]) == .compressed(.gzip))
        #expect(RequestCoding.of(["Content-Encoding": "identity, deflate"]) == .compressed(.deflate))
        #expect(RequestCoding.of(["Content-Encoding": "gzip, gzip"]) == nil)
        #expect(RequestCoding.of(["Content-Encoding": "br"]) == nil)
    }

    @Test(arguments: [
        ("special/type", true), ("Special/Type", true), ("special/type;q=0.1", true), ("special/type;q=0", false),
        ("special/type;v=1;q=0.4, */*;q=0.5", false), ("special/type;v=1 ; q=0.6, */*;q=0.5", true),
        ("*/*", false), ("special/*", false), ("usual/type, special/type", true),
        ("usual/type, special/type;q=0.9", false), ("usual/*, special/type;q=0.9", false),
        ("usual/*;q=0.8, special/type;q=0.9", true), ("usual/*;q=0.8, */*;q=1, special/type;q=0.9", true),
        ("usual/type;q=0.1, usual/*, special/type;q=0.5", true), ("special/type;q=0.1, special/type", true),
        ("special/type;q=x", false), ("special/type2", false), ("", false), (",", false),
    ])
    func `a special type is served if it is named and no other is preferred`(value: String, expected: Bool) {
        let request = HTTPRequest(method: .GET, path: "/", headers: ["Accept": value])
        #expect(request.prefers("special/type", to: "usual/type") == expected)
        let split = HTTPRequest(method: .GET, path: "/", headers: ["Accept": "text/html", "accept": value])
        #expect(split.prefers("special/type", to: "usual/type") == expected)
    }

    @Test(arguments: [
        ("application/json", true), ("Application/JSON; charset=utf-8", true), ("application/problem+json", true),
        ("application/+json", false), ("text/json", false), ("text/plain", false), ("", false),
    ])
    func `JSON content types are recognized`(value: String, expected: Bool) {
        #expect(MediaType.isJSON(["Content-Type": value]) == expected)
        #expect(MediaType.isJSON([:]))
    }

    @Test func `Only long bodies of compressible types are compressed`() {
        let compression = ResponseCompression(threshold: 100, level: 6)
        func coding(_ response: HTTPResponse, _ accepts: Bool = true) -> String? {
            compression.apply(to: response, acceptsGzip: accepts).headers.first(name: "content-encoding")
        }
        let long = ByteBuffer(repeating: 0x20, count: 100)
        #expect(coding(.json(long)) == "gzip")
        #expect(coding(.json(long), false) == nil)
        #expect(coding(.json(ByteBuffer(repeating: 0x20, count: 99))) == nil)
        #expect(coding(HTTPResponse(status: .ok, headers: ["Content-Type": "image/png"], body: .bytes(long))) == nil)
        #expect(coding(HTTPResponse(status: .ok, body: .bytes(long))) == nil)
        var coded = HTTPResponse.json(long)
        coded.headers.add(name: "Content-Encoding", value: "br")
        #expect(coding(coded) == "br")
        coded = .json(long)
        coded.headers.add(name: "Cache-Control", value: "no-transform")
        #expect(coding(coded) == nil)
        #expect(
            compression.apply(to: .json(long), acceptsGzip: false).headers["vary"] == ["Accept-Encoding"])
    }

    @Test func `Error text is escaped as JSON`() {
        #expect(JSONText.quoted("a\"b\\c\n\u{1}é") == "\"a\\\"b\\\\c\\n\\u0001é\"")
    }

    @Test func `Log text has no control characters`() {
        #expect(AccessLog.escaped("/a\r\nb\u{1b}[0m\u{202e}é") == "/a\\u{d}\\u{a}b\\u{1b}[0m\\u{202e}é")
    }
}
