import Foundations

/// The token file: one `name:scopes:sha256` per line, scopes separated by commas. Lines that start with `#` are
/// comments.
package enum TokenFile {
    /// Parses a token file.
    ///
    /// - Parameters:
    ///   - text: the file's content.
    ///   - file: the file's name, for errors.
    ///   - known: the scopes that a line may name.
    /// - Returns: the entries in file order.
    /// - Throws: the first error, with its line.
    package static func parse(
        _ text: String, file: String, scopes known: [Scope]
    ) throws(TokenFileError) -> [TokenTable.Entry] {
        var entries: [TokenTable.Entry] = []
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() {
            let line = line.trimmed
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            func wrong(_ reason: String) -> TokenFileError {
                TokenFileError(file: file, line: index + 1, reason: reason)
            }
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map { $0.trimmed }
            guard fields.count == 3 else {
                throw wrong("expected name:scopes:sha256, found \(fields.count) field(s) separated by ':'")
            }
            let name = fields[0]
            guard !name.isEmpty, name.utf8.count <= 128, name.utf8.allSatisfy(Self.isNameByte) else {
                throw wrong("the name must be 1 to 128 letters, digits, '.', '_' or '-'")
            }
            guard !entries.contains(where: { $0.name == name }) else {
                throw wrong("the name '\(name)' is used twice")
            }
            let scopes = try Self.scopes(fields[1], known: known, or: wrong)
            guard let digest = Self.digest(fields[2]) else {
                // Do not include the field in the message: it may be the token itself.
                throw wrong("the third field must be the token's SHA-256 as 64 hex digits")
            }
            guard !entries.contains(where: { $0.digest == digest }) else {
                throw wrong("'\(name)' has the same token as an earlier line")
            }
            entries.append(TokenTable.Entry(name: name, scopes: scopes, digest: digest))
        }
        return entries
    }

    private static func scopes(
        _ field: String, known: [Scope], or wrong: (String) -> TokenFileError
    ) throws(TokenFileError) -> ScopeSet {
        var scopes: ScopeSet = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let name = part.trimmed
            guard let scope = known.first(where: { $0.name == name }) else {
                let allowed = known.map(\.name).joined(separator: ", ")
                throw wrong(
                    name.isEmpty
                        ? "a scope is empty; allowed: \(allowed)"
                        : "unknown scope '\(name)'; allowed: \(allowed)")
            }
            scopes.insert(scope)
        }
        return scopes
    }

    private static func digest(_ hex: String) -> [UInt8]? {
        hex.utf8.count == 64 ? Hex.decode(hex.utf8) : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// An error in a token file, with its position.
package struct TokenFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file's name.
    package var file: String
    /// The line's number, from 1.
    package var line: Int
    /// The problem, in words.
    package var reason: String

    /// The message: file, line and reason.
    package var description: String { "\(self.file), line \(self.line): \(self.reason)" }
}
