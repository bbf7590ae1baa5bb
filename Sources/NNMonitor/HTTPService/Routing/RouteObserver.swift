package import NIOHTTP1

/// Counts what happens to a route's requests before the handler runs. Calls come from the event loops, so they must be
/// short.
package protocol RouteObserver: AnyObject, Sendable {
    /// Bytes of a body arrived: as they were sent, without the framing of chunks.
    func received(_ bytes: Int)

    /// A request was refused before its handler ran, by its head or its body.
    func refused(_ status: HTTPResponseStatus)
}
