/// Names that begin like those of settings, and are not the server's.
enum ForeignNames {
    /// What the clients read.
    private static let ofClients: Set<String> = ["URL", "TOKEN", "RUN_ID"]
    /// What Kubernetes sets in every container beside a service named `nn-monitor`.
    private static let ofKubernetes = ["PORT_", "SERVICE_"]

    /// Whether a name, prefix included, is known and is no setting.
    static func contains(_ name: String) -> Bool {
        guard name.hasPrefix(SettingFacts.prefix) else { return false }
        let rest = String(name.dropFirst(SettingFacts.prefix.count))
        return ofClients.contains(rest) || ofKubernetes.contains { rest.hasPrefix($0) }
    }

    /// The environment without the `PORT` that Kubernetes sets, such as `tcp://10.96.12.34:8000`, and one sentence that
    /// tells so.
    static func removed(from environment: [String: String]) -> (environment: [String: String], ignored: [String]) {
        let name = SettingsTable.port.facts.environmentName
        guard let value = environment[name], value.wholeMatch(of: /(tcp|udp|sctp):\/\/.*/) != nil else {
            return (environment, [])
        }
        let sentence =
            "\(name) is '\(value.oneLine)', which Kubernetes sets for a service named nn-monitor, and is ignored; to "
            + "set the port here, use --port or .env, or set enableServiceLinks to false in the pod"
        return (environment.filter { $0.key != name }, [sentence])
    }
}
