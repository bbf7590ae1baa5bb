/// The tokens that are valid now, as SHA-256 digests.
package struct TokenTable: Sendable, Equatable {
    /// One token. The token itself is not kept.
    package struct Entry: Sendable, Equatable {
        package var name: String
        package var scopes: Set<Scope>
        /// SHA-256 of the token's UTF-8 bytes: 32 bytes.
        package var digest: [UInt8]

        package init(name: String, scopes: Set<Scope>, digest: [UInt8]) {
            self.name = name
            self.scopes = scopes
            self.digest = digest
        }
    }

    package var entries: [Entry]
    /// No token is asked for and everybody has every scope.
    package var isOpen: Bool

    /// The table of a server that asks for no token.
    package static let open = TokenTable(entries: [], isOpen: true)

    /// A table that asks for one of `entries`; an empty one lets nobody in.
    package init(entries: [Entry]) {
        self.init(entries: entries, isOpen: false)
    }

    private init(entries: [Entry], isOpen: Bool) {
        self.entries = entries
        self.isOpen = isOpen
    }

    /// The entry of a digest. Every entry is compared to its end, so that the time taken tells neither how much of a
    /// digest was right nor which entry it was near to.
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
