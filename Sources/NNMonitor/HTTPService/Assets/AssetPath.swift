/// A file that is served at a path of its own besides `/static/`.
package struct AssetPath: Sendable {
    /// The path of the URL.
    let path: String
    /// The file's path relative to the folder.
    let file: String
    /// The scope that the file requires at both paths; nil if it is served without a token.
    let scope: Scope?
    /// Whether the file is a page, on which browsers log in (`PageLogin`). Without a token, a request for a page gets
    /// the login's challenge, and one for another file gets 401.
    let isPage: Bool

    /// Creates a path.
    package init(_ path: String, file: String, scope: Scope?, isPage: Bool) {
        self.path = path
        self.file = file
        self.scope = scope
        self.isPage = isPage
    }
}
