import COpenSSL
import TLS

/// A client of OpenSSL's for the server under test: it trusts everybody.
final class TLSClient {
    let session: TLSSession

    /// What clients share. Configured once and only read afterwards.
    ///
    /// Memory: `pointer` is owned, never null, and freed in `deinit`; sessions hold references of their own.
    @safe final class Context {
        let pointer: OpaquePointer

        /// - Parameter version: the only one that the client speaks.
        init(version: TLSVersion) {
            guard let pointer = unsafe SSL_CTX_new(TLS_client_method()) else { fatalError("no memory for a context") }
            unsafe self.pointer = unsafe pointer
            unsafe _ = nn_SSL_CTX_set_min_proto_version(pointer, version.rawValue)
            unsafe _ = nn_SSL_CTX_set_max_proto_version(pointer, version.rawValue)
        }

        deinit { unsafe SSL_CTX_free(pointer) }
    }

    init(_ context: Context) {
        // Owned by the session below, which frees it also when it is not made.
        guard let ssl = unsafe SSL_new(context.pointer) else { fatalError("no memory for a session") }
        unsafe SSL_set_connect_state(ssl)
        do {
            session = unsafe try TLSSession(adopting: ssl, keeping: context)
        } catch {
            fatalError("a client's session is made: \(error)")
        }
    }
}
