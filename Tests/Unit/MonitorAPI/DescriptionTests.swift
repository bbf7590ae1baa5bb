import Foundation
import Logging
import MonitorCore
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService
@testable import MonitorAPI

/// `static/openapi.json` and the server agree on paths, methods and scopes.
@Suite struct DescriptionTests {
    /// A method of a path and the scopes that may use it.
    private struct Operation: Hashable, CustomStringConvertible {
        let method: String
        let path: String
        let scopes: Set<String>

        var description: String { "\(method) \(path) \(scopes.sorted())" }
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("static")

    /// The operations in the document.
    private func described() throws -> [Operation] {
        let data = try Data(contentsOf: Self.folder.appendingPathComponent("openapi.json"))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        let methods: Set = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
        return try paths.flatMap { path, item in
            try item.filter { methods.contains($0.key) }.map { method, value in
                let operation = try #require(value as? [String: Any])
                let security = try #require(operation["security"] as? [[String: [String]]])
                let scopes = Set(security.flatMap { $0.values.flatMap { $0 } })
                return Operation(method: method.uppercased(), path: path, scopes: scopes)
            }
        }
    }

    /// The operations that the server answers: its routes, and the files with their own path.
    private func served() throws -> [Operation] {
        let authenticator = Authenticator(table: .open, failureLimit: 0, digest: { $0 })
        let assets = try StaticAssets(directory: Self.folder.path, paths: AssetPath.dashboard)
        let login = BrowserLogin(authenticator: authenticator, assets: assets, cors: CORSPolicy([]))
        let server = try HTTPServer(
            configuration: HTTPConfiguration(),
            routes: Monitor(configuration: MonitorConfiguration()).routes + login.routes,
            authenticator: authenticator, assets: assets, login: login, logger: Logger(label: "test"))
        let routes = server.gate.router.routes.map { route in
            let scopes = Set([route.scope, route.alternative].compactMap { $0?.name })
            return Operation(method: route.method.rawValue, path: route.pattern, scopes: scopes)
        }
        let files = AssetPath.dashboard.compactMap { own -> Operation? in
            guard let asset = server.gate.assets.asset(at: own.path) else { return nil }
            return Operation(method: "GET", path: own.path, scopes: Set(asset.scope.map(\.name).map { [$0] } ?? []))
        }
        return routes + files + [Operation(method: "GET", path: "/static/{path}", scopes: [])]
    }

    @Test func `the document describes exactly the operations that the server answers`() throws {
        let described = try described()
        let served = try served()
        #expect(Set(described).count == described.count)
        #expect(Set(served).count == served.count)
        #expect(Set(described).subtracting(served) == [], "described and not served")
        #expect(Set(served).subtracting(described) == [], "served and not described")
        // Neither the routes nor the pages are missing from the comparison.
        #expect(served.contains { $0.path == "/ws" } && served.contains { $0.path == "/docs" })
    }
}
