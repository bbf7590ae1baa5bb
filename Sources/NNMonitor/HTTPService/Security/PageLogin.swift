/// How browsers log in to pages that require a scope. The application implements it. Both methods run on the event
/// loop, so they must not block.
package protocol PageLogin: Sendable {
    /// The response to a request for such a page, at this path, without credentials.
    func challenge(at path: String) -> HTTPResponse

    /// The response to a request for a page with a query, if the query carries credentials.
    ///
    /// - Parameters:
    ///   - request: the request of the page; it has no body.
    ///   - rawQuery: the query as sent, without the question mark.
    /// - Returns: the response; nil serves the page.
    func response(to request: HTTPRequest, rawQuery: String) -> HTTPResponse?
}
