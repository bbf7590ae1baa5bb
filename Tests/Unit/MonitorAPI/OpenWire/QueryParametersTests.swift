import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1
import Testing

@testable import MonitorAPI

@Suite struct QueryParametersTests {
    private func parameters(_ query: (name: String, value: String)...) -> QueryParameters {
        QueryParameters(HTTPRequest(method: .GET, path: "/", query: query))
    }

    /// The type and name of each error.
    private func issues(_ parameters: QueryParameters) throws -> String {
        do {
            try parameters.finish()
            return ""
        } catch let error as HTTPError {
            guard case .bytes(let body) = error.response.body else { return "no body" }
            return String(buffer: body)
        }
    }

    @Test func `a list is split at commas that are not escaped`() {
        #expect(parameters(("m", #"a,b\,c,d\\,e*"#)).names("m") == ["a", "b,c", #"d\"#, "e*"])
        #expect(parameters(("m", "a"), ("n", "x"), ("m", "b,c")).names("m") == ["a", "b", "c"])
        #expect(parameters(("m", #"a\b,c\"#)).names("m") == [#"a\b"#, #"c\"#])
    }

    @Test func `an empty list is all`() {
        #expect(parameters(("m", "")).names("m") == nil)
        #expect(parameters(("m", "")).patterns("m") == nil)
        #expect(parameters().names("m") == nil)
    }

    @Test func `layer ids are written with dots or slashes`() {
        let patterns = parameters(("l", #"h.0.*,a\*b"#)).patterns("l")
        func matches(_ id: String) -> Bool { patterns?.contains { $0.matches(Array(id.utf8)[...]) } == true }
        #expect(matches("h/0/x") && matches("a*b"))
        #expect(!matches("h/1/x") && !matches("axb"))
    }

    @Test(arguments: [
        ("x", "int_parsing"), ("", "int_parsing"), (" ", "int_parsing"), ("1.5", "int_parsing"),
        ("0x5", "int_parsing"), ("1e2", "int_parsing"), ("5.", "int_parsing"), (".0", "int_parsing"),
        ("1.0e0", "int_parsing"), ("nan", "int_parsing"), ("inf", "int_parsing"), ("-", "int_parsing"),
        ("--5", "int_parsing"), ("+-5", "int_parsing"), ("- 5", "int_parsing"), ("_1", "int_parsing"),
        ("1_", "int_parsing"), ("1__0", "int_parsing"), ("1.0_0", "int_parsing"), ("5.0.0", "int_parsing"),
        ("\u{0665}", "int_parsing"), ("\u{FF15}", "int_parsing"), ("5\u{0}", "int_parsing"),
        ("9223372036854775808", "int_parsing_size"), ("99999999999999999999999.0", "int_parsing_size"),
        ("0", "greater_than_equal"), ("11", "less_than_equal"),
    ])
    func `a number outside its bounds is refused`(text: String, type: String) throws {
        var parameters = parameters(("n", text))
        _ = parameters.integer("n", atLeast: 1, atMost: 10)
        #expect(try issues(parameters).contains(#"{"type":"\#(type)","loc":["query","n"],"#))
    }

    @Test(arguments: ["5", "5.0", "5.00", "05", "+5", " 5", "5\n", "0_5", "+05.0 "])
    func `a whole number may be written in several ways`(text: String) throws {
        var parameters = parameters(("n", text))
        #expect(parameters.integer("n", atLeast: 1, atMost: 10) == 5)
        try parameters.finish()
    }

    @Test func `all errors of a query are reported`() throws {
        var parameters = parameters(("a", "z"), ("b", "3"))
        _ = parameters.requiredWord("a", of: ["x", "y"])
        _ = parameters.requiredWord("c", of: ["x"])
        #expect(parameters.integer("b", atLeast: 0) == 3)
        let text = try issues(parameters)
        #expect(text.contains(#""enum","loc":["query","a"]"#) && text.contains(#""missing","loc":["query","c"]"#))
    }
}
