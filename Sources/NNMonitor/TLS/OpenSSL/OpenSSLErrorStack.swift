import COpenSSL

/// The errors that OpenSSL queued on this thread during one call, oldest first.
package struct OpenSSLErrorStack: Sendable, Equatable, CustomStringConvertible {
    /// One entry of the queue.
    struct Entry: Sendable, Equatable {
        /// OpenSSL's number of the library part that failed, `ERR_GET_LIB`.
        let library: Int32
        /// OpenSSL's number of the reason within that part, `ERR_GET_REASON`.
        let reason: Int32
        /// OpenSSL's text for the reason, followed by the data attached to the entry.
        let text: String
    }

    /// The entries, oldest first: the first is the cause, later ones are its consequences.
    let entries: [Entry]

    /// Removes all entries from the current thread's queue and returns them.
    static func take() -> OpenSSLErrorStack {
        var entries: [Entry] = []
        while true {
            var data: UnsafePointer<CChar>?
            var flags: Int32 = 0
            let code = unsafe ERR_get_error_all(nil, nil, nil, &data, &flags)
            guard code != 0 else { break }
            // OpenSSL owns both strings. The reason is static; the data is valid until the entry's slot is reused, so
            // it is copied before the next call.
            var text = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "error \(code)"
            if flags & ERR_TXT_STRING != 0, let data = unsafe data {
                let detail = unsafe String(cString: data)
                if !detail.isEmpty { text += " (\(detail))" }
            }
            entries.append(Entry(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code), text: text))
        }
        return OpenSSLErrorStack(entries: entries)
    }

    /// Empties the current thread's queue, so that the next `take()` returns only errors of calls after this one.
    static func clear() {
        ERR_clear_error()
    }

    /// Returns true if an entry has this library and reason.
    func contains(library: Int32, reason: Int32) -> Bool {
        entries.contains { $0.library == library && $0.reason == reason }
    }

    /// The texts of all entries, for log lines and start errors.
    package var description: String {
        entries.isEmpty ? "OpenSSL gave no reason" : entries.map(\.text).joined(separator: "; ")
    }
}
