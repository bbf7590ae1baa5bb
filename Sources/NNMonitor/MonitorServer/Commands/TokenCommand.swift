import ArgumentParser
import HTTPService

/// `NNMonitor token`: makes a token and the line that lets it in.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Makes a token and the line for the file of NN_MONITOR_AUTH_TOKENS_FILE.",
        discussion: """
            Prints two lines: the token, which is shown only now, and name:scopes:sha256-of-token, which goes into \
            the file. The server reads the file at start and on SIGHUP.
            """)

    @Option(help: "Who the token is for: \(TokenName.allowed).")
    var name: TokenName

    @Option(help: "What it may do: \(TokenScopes.allowed).")
    var scopes: TokenScopes

    func run() throws {
        let token = AccessToken.random()
        print(token.text)
        print(token.line(name: name, scopes: scopes))
    }
}

/// The name of a token's owner, as it stands in the file and in the log.
struct TokenName: ExpressibleByArgument, Sendable {
    static let allowed = "1 to 64 of the characters A-Z a-z 0-9 _ . -"

    let text: String

    init?(argument: String) {
        guard argument.wholeMatch(of: /[A-Za-z0-9_.\-]{1,64}/) != nil else { return nil }
        text = argument
    }
}

/// The scopes of one token, without repeats, in the order of `Scope`.
struct TokenScopes: ExpressibleByArgument, Sendable {
    static let allowed = "one or more of ingest, read, admin, separated by commas"

    let scopes: [Scope]

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        let named = words.compactMap { Scope(rawValue: $0.trimmingSpaces) }
        guard named.count == words.count else { return nil }
        scopes = Scope.allCases.filter(named.contains)
    }

    /// As in the file: `ingest,read`.
    var text: String { scopes.map(\.rawValue).joined(separator: ",") }
}
