/// What can go wrong in the HTTP module outside the answer to a request.
package enum HTTPServiceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A route's pattern can't be used; `reason` says why. Found when the server is made.
    case invalidPattern(String, reason: String)
    /// Two routes have the same method and pattern.
    case duplicateRoute(String)
    /// The client went away while its answer was being written.
    case connectionClosed
    /// The folder of static files can't be used.
    case unusableAssets(path: String, reason: String)

    package var description: String {
        switch self {
        case .invalidPattern(let pattern, let reason): "route pattern '\(pattern)': \(reason)"
        case .duplicateRoute(let route): "route '\(route)' is given twice"
        case .connectionClosed: "the client closed the connection"
        case .unusableAssets(let path, let reason): "static files in '\(path)': \(reason)"
        }
    }
}
