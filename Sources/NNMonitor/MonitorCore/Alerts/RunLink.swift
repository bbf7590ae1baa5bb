package import Foundations

/// The prefix of links to the dashboard.
package struct RunLink: Sendable {
    /// The public address of the server without a slash at its end; `nil`: there are no links.
    package let prefix: String?

    /// No links.
    package static let none = RunLink(prefix: nil)

    /// - Parameter prefix: the public address of the server; `nil`: there are no links.
    package init(prefix: String?) {
        self.prefix = prefix.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    }

    /// The address of a run on the dashboard, at a step and a layer.
    package func address(of run: RunID, step: Int64? = nil, layer: ByteString? = nil) -> String? {
        guard let prefix else { return nil }
        var address = "\(prefix)/#run=\(Self.encoded(run.text))"
        if let step { address += "&step=\(step)" }
        if let layer { address += "&layer=\(Self.encoded(layer.text))" }
        return address
    }

    /// Percent-encodes what is not unreserved (RFC 3986, section 2.3).
    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let character = Unicode.Scalar(byte)
            switch character {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": encoded.unicodeScalars.append(character)
            default: encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
