import COpenSSL
import Foundations
import TLS
import Synchronization

/// The `SSL_CTX` of a test client, which trusts the authorities of one file.
///
/// Not modified after `init`; OpenSSL counts references atomically. So threads may share it.
final class ClientContext: @unchecked Sendable {
    struct Failure: Error { let text: String }

    let pointer: OpaquePointer
    private let keyLog = KeyLog()

    init(
        trusting authority: String,
        versions: ClosedRange<Int32> = TLSVersion.v1_2.rawValue...TLSVersion.v1_3.rawValue,
        protocols: [String] = [],
        certificate: (certificate: String, key: String)? = nil,
        suites: String? = nil
    ) throws {
        guard let pointer = SSL_CTX_new(TLS_client_method()) else { throw Failure(text: "no context") }
        self.pointer = pointer
        // This object owns the log, and sessions retain this object.
        _ = nn_SSL_CTX_set_app_data(pointer, Unmanaged.passUnretained(keyLog).toOpaque())
        SSL_CTX_set_keylog_callback(pointer) { ssl, line in
            guard let ssl, let line, let data = nn_SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)) else { return }
            Unmanaged<KeyLog>.fromOpaque(data).takeUnretainedValue().append(String(cString: line))
        }
        if versions.lowerBound < TLSVersion.v1_2.rawValue { SSL_CTX_set_security_level(pointer, 0) }
        _ = nn_SSL_CTX_set_min_proto_version(pointer, versions.lowerBound)
        _ = nn_SSL_CTX_set_max_proto_version(pointer, versions.upperBound)
        guard SSL_CTX_load_verify_locations(pointer, authority, nil) == 1 else { throw Failure(text: authority) }
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        if let suites, SSL_CTX_set_cipher_list(pointer, suites) != 1 { throw Failure(text: suites) }
        if let certificate {
            guard SSL_CTX_use_certificate_chain_file(pointer, certificate.certificate) == 1,
                SSL_CTX_use_PrivateKey_file(pointer, certificate.key, SSL_FILETYPE_PEM) == 1
            else { throw Failure(text: certificate.certificate) }
        }
        if !protocols.isEmpty {
            let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            _ = SSL_CTX_set_alpn_protos(pointer, list, UInt32(list.count))
        }
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    /// Returns a secret of the latest connection by its label in the key log; `nil` if there is none.
    func secret(_ name: String) -> [UInt8]? {
        keyLog.last(name)
    }

    func makeSSL() -> OpaquePointer? {
        guard let ssl = SSL_new(pointer) else { return nil }
        SSL_set_connect_state(ssl)
        SSL_set1_host(ssl, "localhost")
        _ = nn_SSL_set_tlsext_host_name(ssl, "localhost")
        return ssl
    }
}

/// The key log of a context: lines of label, client random and secret, both in hexadecimal.
private final class KeyLog: Sendable {
    private let lines = Mutex<[String]>([])

    func append(_ line: String) {
        lines.withLock { $0.append(line) }
    }

    func last(_ name: String) -> [UInt8]? {
        guard let line = lines.withLock({ $0.last { $0.hasPrefix("\(name) ") } }),
            let secret = line.split(separator: " ").last
        else { return nil }
        return Hex.decode(secret.utf8)
    }
}
