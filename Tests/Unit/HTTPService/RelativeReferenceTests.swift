import Testing

@testable import HTTPService

/// References for `Location`.
@Suite struct RelativeReferenceTests {
    @Test(arguments: [
        ("/", "/login", "./"), ("/login", "/", "./login"), ("/docs?x=1", "/login", "./docs?x=1"),
        ("/docs", "/docs/", "../docs"), ("/login", "/static/index.html", "../login"),
        ("/api/v1/runs", "/api/v1/runs/", "../../../api/v1/runs"), ("//evil.example/", "/a", "./evil.example/"),
        ("/a:b", "/", "./a:b"),
    ])
    func `A reference leads from the request's path to the target and to no other host`(
        target: String, path: String, reference: String
    ) {
        #expect(RelativeReference.to(target, from: path) == reference)
    }
}
