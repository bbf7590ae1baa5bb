import ArgumentParser
import Foundations
import HTTPService
import MonitorAPI

/// `NNMonitor token`: generates a token and its line for the tokens file.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Generates a token and its line for the file named by NN_MONITOR_AUTH_TOKENS_FILE.",
        discussion: """
            Prints two lines: the token, which cannot be shown again, and name:scopes:sha256-of-token, which belongs \
            in the file. The server reads the file at start and on SIGHUP.
            """)

    @Option(help: "Name of the token's owner: \(TokenName.allowed).")
    var name: TokenName

    @Option(help: "What the token permits: \(TokenScopes.allowed).")
    var scopes: TokenScopes

    func run() throws {
        let token = AccessToken.random()
        print(token.text)
        print(token.line(name: name, scopes: scopes))
    }
}

/// The name of a token's owner, as the tokens file and the log show it.
struct TokenName: ExpressibleByArgument, Sendable {
    static let allowed = "1 to 128 of the characters A-Z a-z 0-9 _ . -"

    let text: String

    init?(argument: String) {
        guard argument.wholeMatch(of: /[A-Za-z0-9_.\-]{1,128}/) != nil else { return nil }
        text = argument
    }
}

/// The scopes of one token, without duplicates, in the order of `Scope.all`.
struct TokenScopes: ExpressibleByArgument, Sendable {
    static let allowed = "one or more of \(Scope.all.map(\.name).joined(separator: ", ")), separated by commas"

    let scopes: [Scope]

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        let named = words.compactMap { word in Scope.all.first { $0.name == word.trimmed } }
        guard named.count == words.count else { return nil }
        scopes = Scope.all.filter(named.contains)
    }

    /// As in the tokens file: `ingest,read`.
    var text: String { scopes.map(\.name).joined(separator: ",") }
}
