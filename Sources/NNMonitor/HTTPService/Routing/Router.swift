import NIOHTTP1
import Foundations

/// Finds the routes of a path in a trie of path segments. Literal segments take precedence over captures.
struct Router: Sendable {
    private struct Node: Sendable {
        var literals: [ByteString: Int] = [:]
        var capture: Int?
        var routes: [Route] = []
    }

    /// The routes of the matching pattern, and the captured segments.
    struct Match: Sendable {
        var routes: [Route]
        var parameters: [String]

        /// The methods of the pattern, for `Allow`.
        var methods: [String] { Router.methods(of: self.routes.map(\.method)) }

        func route(for method: HTTPMethod) -> Route? {
            self.routes.first { $0.method == method }
                ?? (method == .HEAD ? self.routes.first { $0.method == .GET } : nil)
        }
    }

    private var nodes: [Node] = [Node()]

    /// All routes.
    var routes: [Route] { self.nodes.flatMap(\.routes) }

    init(_ routes: [Route]) throws(HTTPServiceError) {
        for route in routes { try self.insert(route) }
    }

    /// The methods of an `Allow` header: GET implies HEAD, and every path accepts OPTIONS.
    static func methods(of methods: [HTTPMethod]) -> [String] {
        var names: [String] = []
        for method in methods {
            names.append(method.rawValue)
            if method == .GET, !methods.contains(.HEAD) { names.append("HEAD") }
        }
        return names + ["OPTIONS"]
    }

    /// The routes of a path, given as its decoded segments (none for `/`); nil if no pattern matches.
    func match(_ segments: [String]) -> Match? {
        var parameters: [String] = []
        guard let node = self.find(segments[...], from: 0, parameters: &parameters) else { return nil }
        return Match(routes: self.nodes[node].routes, parameters: parameters)
    }

    private func find(_ segments: ArraySlice<String>, from node: Int, parameters: inout [String]) -> Int? {
        guard let segment = segments.first else { return self.nodes[node].routes.isEmpty ? nil : node }
        let rest = segments.dropFirst()
        if let literal = self.nodes[node].literals[ByteString(segment)],
            let found = self.find(rest, from: literal, parameters: &parameters)
        {
            return found
        }
        // Captures never match empty segments: `//` matches nothing, so no redirect can lead to `//host`.
        guard !segment.isEmpty, let capture = self.nodes[node].capture else { return nil }
        parameters.append(segment)
        if let found = self.find(rest, from: capture, parameters: &parameters) { return found }
        parameters.removeLast()
        return nil
    }

    private mutating func insert(_ route: Route) throws(HTTPServiceError) {
        guard route.pattern.hasPrefix("/") else {
            throw .invalidPattern(route.pattern, reason: "it must begin with '/'")
        }
        var node = 0
        if route.pattern != "/" {
            for segment in route.pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
                guard !segment.isEmpty else {
                    throw .invalidPattern(route.pattern, reason: "it has an empty segment")
                }
                node = self.child(of: node, segment: String(segment))
            }
        }
        guard !self.nodes[node].routes.contains(where: { $0.method == route.method }) else {
            throw .duplicateRoute("\(route.method.rawValue) \(route.pattern)")
        }
        self.nodes[node].routes.append(route)
    }

    private mutating func child(of node: Int, segment: String) -> Int {
        let isCapture = segment.hasPrefix("{") && segment.hasSuffix("}")
        let name = ByteString(segment)
        if let existing = isCapture ? self.nodes[node].capture : self.nodes[node].literals[name] { return existing }
        self.nodes.append(Node())
        let new = self.nodes.count - 1
        if isCapture { self.nodes[node].capture = new } else { self.nodes[node].literals[name] = new }
        return new
    }
}
