/// The negotiated parameters of permessage-deflate (RFC 7692 section 7.1).
///
/// The server always compresses each message independently (`server_no_context_takeover`), so that the same bytes serve
/// every subscriber.
package struct DeflateParameters: Sendable, Hashable {
    /// The server's window is at most 2^`serverMaxWindowBits` bytes; 8 to 15.
    package var serverMaxWindowBits: Int
    /// The client's window is at most 2^`clientMaxWindowBits` bytes; 8 to 15.
    package var clientMaxWindowBits: Int
    /// The client compresses each message independently. Negotiated where the client offers it; other clients may refer
    /// to their earlier messages, and the server keeps their window.
    package var clientNoContextTakeover: Bool

    /// Makes parameters; see the properties.
    package init(
        serverMaxWindowBits: Int = 15, clientMaxWindowBits: Int = 15, clientNoContextTakeover: Bool = false
    ) {
        self.serverMaxWindowBits = serverMaxWindowBits
        self.clientMaxWindowBits = clientMaxWindowBits
        self.clientNoContextTakeover = clientNoContextTakeover
    }

    /// Whether outgoing messages can be compressed. zlib cannot keep to a window of 256 bytes; a server that may not
    /// use a larger one sends its messages as they are, which the extension allows (RFC 7692 section 6).
    package var compressesOutgoing: Bool { serverMaxWindowBits > 8 }

    /// Messages for many connections are compressed with a window of 2^`sharedWindowBits` bytes; `nil`: not at all.
    /// There are two sizes, 15 and 9, so that each message is compressed at most twice, whatever the connections have
    /// negotiated. A smaller window than the negotiated one is always allowed.
    package var sharedWindowBits: Int? {
        if !compressesOutgoing { return nil }
        return serverMaxWindowBits == 15 ? 15 : 9
    }

    /// Accepts the first valid offer.
    ///
    /// - Parameter offers: the values of `Sec-WebSocket-Extensions`.
    /// - Returns: the parameters and the header value of the response; `nil` if no offer is valid.
    static func negotiate(_ offers: [String]) -> (parameters: DeflateParameters, response: String)? {
        for offer in offers.flatMap({ ExtensionOffer.parse($0) }) where offer.name == "permessage-deflate" {
            if let accepted = accept(offer) { return accepted }
        }
        return nil
    }

    /// Checks an offer's parameters: each known, at most once, with the values that section 7.1 allows.
    private static func accept(_ offer: ExtensionOffer) -> (DeflateParameters, String)? {
        var parameters = DeflateParameters()
        var response = "permessage-deflate; server_no_context_takeover"
        var seen: Set<String> = []
        for (name, value) in offer.parameters {
            guard seen.insert(name).inserted else { return nil }
            switch (name, value) {
            case ("server_no_context_takeover", nil): break
            case ("client_no_context_takeover", nil):
                parameters.clientNoContextTakeover = true
                response += "; client_no_context_takeover"
            case ("client_max_window_bits", nil): break
            case ("server_max_window_bits", let value?):
                guard let bits = windowBits(value) else { return nil }
                parameters.serverMaxWindowBits = bits
                response += "; server_max_window_bits=\(bits)"
            case ("client_max_window_bits", let value?):
                guard let bits = windowBits(value) else { return nil }
                parameters.clientMaxWindowBits = bits
                response += "; client_max_window_bits=\(bits)"
            default: return nil
            }
        }
        return (parameters, response)
    }

    /// A whole number from 8 to 15 without leading zeros.
    private static func windowBits(_ text: String) -> Int? {
        guard let bits = Int(text), (8...15).contains(bits), String(bits) == text else { return nil }
        return bits
    }
}

/// One offer in `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).
struct ExtensionOffer: Equatable {
    let name: String
    let parameters: [(name: String, value: String?)]

    static func == (left: ExtensionOffer, right: ExtensionOffer) -> Bool {
        left.name == right.name && left.parameters.elementsEqual(right.parameters) { $0 == $1 }
    }

    /// The offers in a header value: separated by commas, their parameters by semicolons. Malformed offers are
    /// skipped.
    static func parse(_ header: String) -> [ExtensionOffer] {
        header.split(separator: ",").compactMap { text in
            let parts = text.split(separator: ";", omittingEmptySubsequences: false).map { trim($0) }
            guard let name = parts.first, !name.isEmpty else { return nil }
            var parameters: [(String, String?)] = []
            for part in parts.dropFirst() {
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { trim($0) }
                guard !pair[0].isEmpty else { return nil }
                parameters.append((pair[0], pair.count == 2 ? unquoted(pair[1]) : nil))
            }
            return ExtensionOffer(name: name, parameters: parameters)
        }
    }

    private static func trim(_ text: some StringProtocol) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }

    private static func unquoted(_ text: String) -> String {
        guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
        return String(text.dropFirst().dropLast())
    }
}
