import Foundations
import NIOHTTP1

extension Asset {
    /// The response to a GET or HEAD: 200, or 304 if the client has the current version (RFC 9110 section 13).
    func response(to headers: HTTPHeaders) -> HTTPResponse {
        let compressed = AcceptEncoding.prefersGzip(headers) ? self.compressed : nil
        let tag = compressed == nil ? self.entityTag : self.compressedEntityTag
        var response = HTTPResponse(status: .ok)
        response.headers.add(name: "ETag", value: tag)
        response.headers.add(name: "Last-Modified", value: HTTPDate.string(self.modified))
        // Clients revalidate every time, usually with a 304, so that a reload is visible at once.
        response.headers.add(name: "Cache-Control", value: self.scope == nil ? "no-cache" : "private, no-cache")
        if self.compressed != nil { response.headers.add(name: "Vary", value: "Accept-Encoding") }
        guard !Revalidation(headers: headers).succeeds(tag: tag, modified: self.modified) else {
            response.status = .notModified
            return response
        }
        response.headers.add(name: "Content-Type", value: self.contentType)
        if compressed != nil { response.headers.add(name: "Content-Encoding", value: "gzip") }
        response.body = .bytes(compressed ?? self.bytes)
        return response
    }
}
