/// How the end of a request's body is determined (RFC 9112 section 6.3).
enum BodyFraming: Equatable, Sendable {
    case none
    case length(Int)
    case chunked

    /// The body's length in bytes; nil if it is chunked.
    var length: Int? {
        switch self {
        case .none: 0
        case .length(let length): length
        case .chunked: nil
        }
    }
}
