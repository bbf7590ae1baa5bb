/// Errors of this module that are not responses to requests.
package enum HTTPServiceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A route's pattern is invalid; thrown when the server is created.
    case invalidPattern(String, reason: String)
    /// Two routes have the same method and pattern.
    case duplicateRoute(String)
    /// The client disconnected before its response was sent.
    case connectionClosed
    /// The folder of static files is missing, unreadable, or over a limit.
    case unusableAssets(path: String, reason: String)

    /// The message for logs and the command line.
    package var description: String {
        switch self {
        case .invalidPattern(let pattern, let reason): "route pattern '\(pattern)': \(reason)"
        case .duplicateRoute(let route): "route '\(route)' is given twice"
        case .connectionClosed: "the client closed the connection"
        case .unusableAssets(let path, let reason): "static files in '\(path)': \(reason)"
        }
    }
}
