import COpenSSL

/// The choice of a protocol by ALPN (RFC 7301): the server's order decides.
final class ApplicationProtocols: Sendable {
    /// Each name after one byte of its length, as on the wire.
    let wireForm: [UInt8]

    /// Checks the names, 1 to 255 bytes each.
    init(_ names: [String]) throws(TLSError) {
        var wireForm: [UInt8] = []
        for name in names {
            guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
                throw .invalidApplicationProtocol(name)
            }
            wireForm.append(length)
            wireForm += Array(name.utf8)
        }
        self.wireForm = wireForm
    }

    /// Makes a context choose by this list. This object must outlive the context's sessions.
    func install(in context: OpaquePointer) {
        guard !wireForm.isEmpty else { return }
        unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Where in the client's list (in wire form) the name is that both know and we like best.
    func choose(from offered: [UInt8]) -> Range<Int>? {
        for own in Self.names(in: wireForm) {
            for theirs in Self.names(in: offered) where wireForm[own].elementsEqual(offered[theirs]) {
                return theirs
            }
        }
        return nil
    }

    /// The places of the names in a list in wire form, up to the first that is cut off.
    static func names(in list: [UInt8]) -> [Range<Int>] {
        var names: [Range<Int>] = []
        var position = 0
        while position < list.count {
            let start = position + 1
            let end = start + Int(list[position])
            guard end <= list.count, end > start else { break }
            names.append(start..<end)
            position = end
        }
        return names
    }
}

/// OpenSSL's callback. `offered` is valid during the call and somewhat longer: the answer points into it, which is
/// what OpenSSL expects.
private func selectProtocol(
    _ ssl: OpaquePointer?,
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?,
    _ offeredLength: CUnsignedInt,
    _ argument: UnsafeMutableRawPointer?
) -> CInt {
    guard let argument = unsafe argument, let offered = unsafe offered,
        let chosen = unsafe chosen, let chosenLength = unsafe chosenLength
    else { return SSL_TLSEXT_ERR_NOACK }
    let protocols = unsafe Unmanaged<ApplicationProtocols>.fromOpaque(argument).takeUnretainedValue()
    let list = unsafe Array(UnsafeBufferPointer(start: offered, count: Int(offeredLength)))
    // RFC 7301 §3.2: no common protocol is a fatal alert.
    guard let range = protocols.choose(from: list) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    unsafe chosen.pointee = unsafe offered + range.lowerBound
    unsafe chosenLength.pointee = UInt8(range.count)
    return SSL_TLSEXT_ERR_OK
}
