/// A permission that a route requires and a token grants. The application defines the scopes; this module only compares
/// them.
package struct Scope: Sendable, Hashable {
    /// The name in the token file and in error messages.
    package let name: String
    /// The scope's bit in a `ScopeSet`, which also identifies the scope.
    fileprivate let bit: UInt64

    /// Creates a scope.
    ///
    /// - Parameters:
    ///   - name: the name in the token file.
    ///   - bit: 0 to 63, unique among the application's scopes.
    package init(_ name: String, bit: Int) {
        precondition((0..<64).contains(bit), "a scope's bit is 0 to 63")
        self.name = name
        self.bit = 1 << UInt64(bit)
    }

    /// Whether both are the same scope.
    package static func == (left: Scope, right: Scope) -> Bool { left.bit == right.bit }

    /// Hashes the bit.
    package func hash(into hasher: inout Hasher) { hasher.combine(self.bit) }
}

/// A set of scopes.
package struct ScopeSet: Sendable, Equatable, ExpressibleByArrayLiteral {
    private var bits: UInt64

    /// Every scope that the application can define.
    package static let all = ScopeSet(bits: .max)

    private init(bits: UInt64) { self.bits = bits }

    /// Creates a set of `scopes`.
    package init(_ scopes: some Sequence<Scope>) {
        self.bits = scopes.reduce(0) { $0 | $1.bit }
    }

    /// Creates a set of the listed scopes.
    package init(arrayLiteral scopes: Scope...) { self.init(scopes) }

    /// Whether the set has no scope.
    package var isEmpty: Bool { self.bits == 0 }

    /// Whether the set has `scope`.
    package func contains(_ scope: Scope) -> Bool { self.bits & scope.bit != 0 }

    /// Adds `scope`.
    package mutating func insert(_ scope: Scope) { self.bits |= scope.bit }
}
