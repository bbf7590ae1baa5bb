package import HTTPService

/// The scopes of the service.
extension Scope {
    /// Posting metrics.
    package static let ingest = Scope("ingest", bit: 0)
    /// Reading the API, the WebSocket and the dashboard.
    package static let read = Scope("read", bit: 1)
    /// Deleting runs.
    package static let admin = Scope("admin", bit: 2)

    /// All scopes, in the order of the documentation.
    package static let all: [Scope] = [.ingest, .read, .admin]
}
