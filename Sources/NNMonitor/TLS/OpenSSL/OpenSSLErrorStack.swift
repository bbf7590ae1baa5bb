import COpenSSL

/// The errors that OpenSSL queued for this thread during one call, oldest first.
package struct OpenSSLErrorStack: Sendable, Equatable, CustomStringConvertible {
    /// One entry of the queue.
    package struct Entry: Sendable, Equatable {
        /// OpenSSL's number of the part of the library, `ERR_GET_LIB`.
        package let library: Int32
        /// OpenSSL's number of the reason within that part, `ERR_GET_REASON`.
        package let reason: Int32
        /// The reason in OpenSSL's words, with the data it attached.
        package let text: String
    }

    /// The entries, oldest first: the first is the cause, later ones are what it broke.
    package let entries: [Entry]

    package init(entries: [Entry] = []) {
        self.entries = entries
    }

    /// Takes the queue of the current thread and leaves it empty.
    static func take() -> OpenSSLErrorStack {
        var entries: [Entry] = []
        while true {
            var data: UnsafePointer<CChar>?
            var flags: Int32 = 0
            let code = unsafe ERR_get_error_all(nil, nil, nil, &data, &flags)
            guard code != 0 else { break }
            // Both strings belong to the library: the reason is static, the data lives until the entry's slot is
            // used again. Both are copied here, before the next call.
            var text = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "error \(code)"
            if flags & ERR_TXT_STRING != 0, let data = unsafe data {
                let detail = unsafe String(cString: data)
                if !detail.isEmpty { text += " (\(detail))" }
            }
            entries.append(Entry(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code), text: text))
        }
        return OpenSSLErrorStack(entries: entries)
    }

    /// Forgets what earlier calls left, so that `take()` tells of the next call only.
    static func clear() {
        ERR_clear_error()
    }

    /// True when an entry has this reason of this part of the library.
    func contains(library: Int32, reason: Int32) -> Bool {
        entries.contains { $0.library == library && $0.reason == reason }
    }

    package var description: String {
        entries.isEmpty ? "OpenSSL gave no reason" : entries.map(\.text).joined(separator: "; ")
    }
}
