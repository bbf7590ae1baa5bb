/// A receiver of alerts: an address, and the format of what it gets.
package struct Webhook: Sendable {
    /// The format of a message.
    package enum Format: String, Sendable, CaseIterable {
        /// The whole episode (SCHEMA.md, "Webhook").
        case json
        /// The body of an incoming webhook of Slack.
        case slack
        /// The body of a webhook of Discord.
        case discord
        /// The JSON body with which ntfy publishes.
        case ntfy
    }

    /// Why a text names no webhook. The description contains nothing of the text, which may be secret.
    package enum Problem: Error, Equatable, CustomStringConvertible {
        /// There is no known format before the first `=`.
        case format
        /// What follows is no address.
        case address(WebAddress.Problem)
        /// The path of an address of ntfy does not end with a topic.
        case topic

        /// What to do.
        package var description: String {
            switch self {
            case .format: "it must begin with json=, slack=, discord= or ntfy="
            case .address(let problem): problem.description
            case .topic: "the path of its address must end with the topic: 1 to 64 letters, digits, - and _"
            }
        }
    }

    /// The format of its messages.
    package let format: Format
    /// Where they are sent.
    package let address: WebAddress
    /// The topic, for ntfy.
    let topic: String

    /// Parses an entry of the setting.
    ///
    /// - Parameter text: the format, `=` and the address.
    /// - Throws: why it is none.
    package init(_ text: some StringProtocol) throws(Problem) {
        guard let separator = text.firstIndex(of: "="),
            let format = Format(rawValue: text[..<separator].lowercased())
        else { throw .format }
        self.format = format
        let given: WebAddress
        do {
            given = try WebAddress(String(text[text.index(after: separator)...]))
        } catch {
            throw .address(error)
        }
        switch format {
        case .json, .slack:
            address = given
            topic = ""
        case .discord:
            address = given.waiting
            topic = ""
        case .ntfy:
            guard let (address, topic) = given.splitTopic else { throw .topic }
            self.address = address
            self.topic = topic
        }
    }

    /// The webhook as log lines name it: format and host, nothing secret.
    package var name: String { "\(format.rawValue) \(address.host)" }
}

extension Webhook: CustomStringConvertible, CustomReflectable {
    /// The name, which contains nothing secret.
    package var description: String { name }
    /// The name alone: the topic is secret, too.
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

extension WebAddress {
    /// The address with `wait=true`: without it, Discord answers before it has saved the message, and reports no error.
    fileprivate var waiting: WebAddress {
        let parameters = query.dropFirst().split(separator: "&")
        if parameters.contains(where: { $0.hasPrefix("wait=") }) { return self }
        return with(target: target + (query.isEmpty ? "?wait=true" : "&wait=true"))
    }

    /// The address of the server, to which JSON is published, and the topic, the last part of the path.
    fileprivate var splitTopic: (address: WebAddress, topic: String)? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let topic = path[path.index(after: slash)...]
        guard (1...64).contains(topic.utf8.count),
            topic.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            })
        else { return nil }
        return (with(target: String(path[...slash] + query)), String(topic))
    }
}
