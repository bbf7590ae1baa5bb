import COpenSSL
import TLS

/// An OpenSSL client for the server under test. It accepts any certificate.
final class TLSClient {
    let session: TLSSession

    /// The clients' `SSL_CTX`. Configured in `init` and only read afterwards.
    ///
    /// Memory: `pointer` is owned, never null, and freed in `deinit`; each session holds a reference of its own.
    @safe final class Context {
        let pointer: OpaquePointer

        /// Creates a context.
        ///
        /// - Parameter version: the only TLS version that clients offer.
        init(version: TLSVersion) {
            guard let pointer = unsafe SSL_CTX_new(TLS_client_method()) else { fatalError("no memory for a context") }
            unsafe self.pointer = unsafe pointer
            unsafe _ = nn_SSL_CTX_set_min_proto_version(pointer, version.rawValue)
            unsafe _ = nn_SSL_CTX_set_max_proto_version(pointer, version.rawValue)
        }

        deinit { unsafe SSL_CTX_free(pointer) }
    }

    init(_ context: Context) {
        // `TLSSession(adopting:)` takes ownership and frees the pointer also if it throws.
        guard let ssl = unsafe SSL_new(context.pointer) else { fatalError("no memory for a session") }
        unsafe SSL_set_connect_state(ssl)
        do {
            session = unsafe try TLSSession(adopting: ssl, keeping: context)
        } catch {
            fatalError("a client's session is made: \(error)")
        }
    }
}
