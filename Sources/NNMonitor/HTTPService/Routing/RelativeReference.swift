/// References to paths of this server for `Location` (RFC 9110 section 10.2.2), relative to the path of the request.
///
/// A proxy may add a prefix to the paths that browsers see and strip it before the server. A relative reference leads
/// to the right path behind any prefix. It begins with `./` or `../`, so it never leads to another host.
package enum RelativeReference {
    /// The reference to a target.
    ///
    /// - Parameters:
    ///   - target: an absolute path, and its query if it has one.
    ///   - path: the path of the request, without its query.
    /// - Returns: the reference, with the target's query.
    package static func to(_ target: String, from path: String) -> String {
        let folders = path.utf8.count { $0 == UInt8(ascii: "/") } - 1
        let way = folders > 0 ? String(repeating: "../", count: folders) : "./"
        return way + target.drop { $0 == "/" }
    }
}
