import COpenSSL

/// Selects the application protocol by ALPN (RFC 7301): the server's order of preference decides.
final class ApplicationProtocols: Sendable {
    /// The names as a ProtocolNameList (RFC 7301 section 3.1): each preceded by one byte with its length.
    let wireForm: [UInt8]

    /// Encodes the names.
    ///
    /// - Throws: `.invalidApplicationProtocol` if a name is not 1 to 255 bytes long.
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

    /// Sets the ALPN callback of a context. The context keeps an unretained pointer to this object, which must outlive
    /// the context and its connections.
    func install(in context: OpaquePointer) {
        guard !wireForm.isEmpty else { return }
        unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Selects the first of the server's protocols that the client offers.
    ///
    /// - Parameter offered: the client's ProtocolNameList.
    /// - Returns: the range of the name within `offered`; `nil` if there is no common protocol.
    func choose(from offered: [UInt8]) -> Range<Int>? {
        for own in Self.names(in: wireForm) {
            for theirs in Self.names(in: offered) where wireForm[own].elementsEqual(offered[theirs]) {
                return theirs
            }
        }
        return nil
    }

    /// The ranges of the names in a ProtocolNameList, up to the first name that is empty or truncated.
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

/// The callback for `SSL_CTX_set_alpn_select_cb`. The result points into `offered`, which OpenSSL keeps valid until it
/// has copied the name.
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
    // Without a common protocol the server sends a fatal alert (RFC 7301 section 3.2).
    guard let range = protocols.choose(from: list) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    unsafe chosen.pointee = unsafe offered + range.lowerBound
    unsafe chosenLength.pointee = UInt8(range.count)
    return SSL_TLSEXT_ERR_OK
}
