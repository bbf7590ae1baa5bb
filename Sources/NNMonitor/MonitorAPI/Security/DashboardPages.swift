package import HTTPService

extension AssetPath {
    /// The dashboard's files that have a path of their own besides `/static/`. The login page requires no scope, and
    /// the icon contains no secret.
    package static let dashboard = [
        AssetPath("/", file: "index.html", scope: .read, isPage: true),
        AssetPath("/docs", file: "docs.html", scope: .read, isPage: true),
        AssetPath(BrowserLogin.path, file: "login.html", scope: nil, isPage: true),
        AssetPath("/openapi.json", file: "openapi.json", scope: .read, isPage: false),
        AssetPath("/favicon.ico", file: "favicon.ico", scope: nil, isPage: false),
    ]
}
