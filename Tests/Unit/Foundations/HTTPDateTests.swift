import Testing

@testable import Foundations

@Suite struct HTTPDateTests {
    @Test func `Dates are written and parsed`() {
        #expect(HTTPDate.string(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.parse("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.string(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate.parse("Sunday, 06-Nov-94 08:49:37 GMT", now: 1_700_000_000) == 784_111_777)
        #expect(HTTPDate.parse("Sunday, 06-Nov-94 08:49:37 GMT", now: 3_000_000_000) == 784_111_777 + 36_525 * 86_400)
        #expect(HTTPDate.parse("Sun Nov  6 08:49:37 1994") == 784_111_777)
        for text in [
            "", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Xxx, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun Nov  6 08:49:37 94", "1994-11-06T08:49:37Z", "784111777",
        ] {
            #expect(HTTPDate.parse(text) == nil, "\(text)")
        }
        for second in stride(from: -86_400 * 400, to: 86_400 * 36_525, by: 86_399 * 7) {
            #expect(HTTPDate.parse(HTTPDate.string(second)) == second)
        }
    }
}
