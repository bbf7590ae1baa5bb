import COpenSSL
import NIOCore

/// The name that a server's certificate must have: a host name or an IP address.
package struct TLSPeerName: Sendable, Equatable {
    private let text: String
    private let isAddress: Bool

    /// - Parameter host: a host name, also with a dot at its end, or an IPv4 or IPv6 address without brackets.
    package init(_ host: String) {
        isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        // Certificates and server name indications have names without the dot (RFC 6066 section 3).
        text = !isAddress && host.hasSuffix(".") ? String(host.dropLast()) : host
    }

    /// Makes a client's session verify the name, and indicate it to the server if it is not an address.
    ///
    /// - Parameter ssl: a client's session before its handshake, owned by the caller. OpenSSL copies the name.
    /// - Returns: whether OpenSSL accepted the name.
    func install(in ssl: OpaquePointer) -> Bool {
        if isAddress {
            return unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), text) == 1
        }
        // As browsers do: `*` stands for a whole label, and the subject's common name is no name of a host (RFC 9525).
        unsafe SSL_set_hostflags(
            ssl, CUnsignedInt(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        return unsafe SSL_set1_host(ssl, text) == 1 && nn_SSL_set_tlsext_host_name(ssl, text) == 1
    }
}
