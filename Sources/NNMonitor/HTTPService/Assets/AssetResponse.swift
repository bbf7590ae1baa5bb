import Foundations
import NIOCore
import NIOHTTP1

extension Asset {
    /// The answer to a GET or HEAD: 200, 304 or 412 (RFC 9110 §13), 206 or 416 (§14).
    func response(to method: HTTPMethod, _ headers: HTTPHeaders) -> HTTPResponse {
        // A range has a meaning for GET only. It counts the bytes of the plain form, so a request for one gets that form.
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
        // Always asked about again, so that a reload is seen at once; the answer then is 304.
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
            // The range lies inside the buffer: `range` has checked it.
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

    /// One range of bytes is honoured; several, another unit, or a broken one are ignored, as the RFC allows.
    private static func range(_ values: [String], size: Int) -> RequestedRange {
        guard values.count == 1, values[0].lowercased().hasPrefix("bytes=") else { return .whole }
        let ends = values[0].trimmed.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return .whole
        }
        // Digits that don't fit an integer mean the largest one.
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
