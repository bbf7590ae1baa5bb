import Foundations
import NIOCore
import NIOHTTP1

extension Asset {
    /// The response to a GET or HEAD: 200, 304 or 412 (RFC 9110 section 13), 206 or 416 (section 14).
    func response(to method: HTTPMethod, _ headers: HTTPHeaders) -> HTTPResponse {
        // Ranges apply to GET only (RFC 9110 section 14.2). They are served from the uncompressed content.
        let wantsPart = method == .GET && headers.contains(name: "range")
        let compressed = wantsPart || !AcceptEncoding.takesGzip(headers) ? nil : self.compressed
        let tag = compressed == nil ? self.entityTag : self.compressedEntityTag
        let preconditions = Preconditions(headers: headers)
        let outcome = preconditions.outcome(tag: tag, modified: self.modified)
        guard outcome != .failed else {
            return .error(
                .preconditionFailed, code: "precondition_failed", message: "The file is not the one that is asked for")
        }
        var response = HTTPResponse(status: .ok)
        response.headers.add(name: "ETag", value: tag)
        response.headers.add(name: "Last-Modified", value: HTTPDate.string(self.modified))
        // Clients revalidate every time, usually with a 304, so that a reload is visible at once.
        response.headers.add(name: "Cache-Control", value: self.access == .open ? "no-cache" : "private, no-cache")
        if self.compressed != nil { response.headers.add(name: "Vary", value: "Accept-Encoding") }
        guard outcome == .proceed else {
            response.status = .notModified
            return response
        }
        response.headers.add(name: "Content-Type", value: self.contentType)
        response.headers.add(name: "Accept-Ranges", value: "bytes")
        if let compressed {
            response.headers.add(name: "Content-Encoding", value: "gzip")
            response.body = .bytes(compressed)
            return response
        }
        let size = self.bytes.readableBytes
        let mayBePart = wantsPart && preconditions.partsFit(tag: tag, modified: self.modified)
        switch mayBePart ? Self.range(headers["range"], size: size) : .whole {
        case .whole:
            response.body = .bytes(self.bytes)
        case .part(let range):
            response.status = .partialContent
            response.headers.add(
                name: "Content-Range", value: "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
            // `range` has checked that the range lies within the buffer.
            response.body = .bytes(
                self.bytes.getSlice(at: self.bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer())
        case .unsatisfiable:
            response = .error(
                .rangeNotSatisfiable, code: "range_not_satisfiable", message: "The file has \(size) bytes")
            response.headers.add(name: "Content-Range", value: "bytes */\(size)")
        }
        return response
    }

    private enum RequestedRange {
        case whole
        case part(Range<Int>)
        case unsatisfiable
    }

    /// The requested range. Several ranges, another unit and malformed values are ignored, as RFC 9110 section 14.2
    /// allows.
    private static func range(_ values: [String], size: Int) -> RequestedRange {
        guard values.count == 1, values[0].lowercased().hasPrefix("bytes=") else { return .whole }
        let ends = values[0].trimmed.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return .whole
        }
        // A number that overflows `Int` counts as the largest one.
        let (first, last) = (Int(ends[0]) ?? .max, Int(ends[1]) ?? .max)
        switch (ends[0].isEmpty, ends[1].isEmpty) {
        case (true, true): return .whole
        case (true, false):
            guard last > 0, size > 0 else { return .unsatisfiable }
            return .part(max(0, size - last)..<size)
        case (false, _):
            guard first <= last else { return .whole }
            guard first < size else { return .unsatisfiable }
            return .part(first..<(min(last, size - 1) + 1))
        }
    }
}
