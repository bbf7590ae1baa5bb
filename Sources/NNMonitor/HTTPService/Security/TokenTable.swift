/// The valid tokens, as SHA-256 digests.
package struct TokenTable: Sendable, Equatable {
    /// The name, scopes and digest of one token. The token itself is not stored.
    package struct Entry: Sendable, Equatable {
        /// The token's name, unique in the table.
        package var name: String
        /// The permissions of the token.
        package var scopes: ScopeSet
        /// SHA-256 of the token's UTF-8 bytes: 32 bytes.
        package var digest: [UInt8]

        /// Creates an entry.
        package init(name: String, scopes: ScopeSet, digest: [UInt8]) {
            self.name = name
            self.scopes = scopes
            self.digest = digest
        }
    }

    /// The entries in file order; empty in open mode.
    package var entries: [Entry]
    /// Whether no token is required and every request has every scope.
    package var isOpen: Bool

    /// The table of a server that requires no token.
    package static let open = TokenTable(entries: [], isOpen: true)

    /// Creates a table that requires one of `entries`; an empty one rejects every request.
    package init(entries: [Entry]) {
        self.init(entries: entries, isOpen: false)
    }

    private init(entries: [Entry], isOpen: Bool) {
        self.entries = entries
        self.isOpen = isOpen
    }

    /// The entry with the given digest. Every entry is compared in full, so that the timing reveals neither how many
    /// bytes matched nor which entry was close.
    func entry(matching digest: [UInt8]) -> Entry? {
        var found: Entry?
        for entry in self.entries where Self.equalInConstantTime(entry.digest, digest) {
            found = entry
        }
        return found
    }

    private static func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
