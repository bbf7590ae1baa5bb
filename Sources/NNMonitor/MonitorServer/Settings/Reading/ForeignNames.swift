/// Names with the prefix of settings that other programs use.
enum ForeignNames {
    /// Names that clients of the server read.
    private static let ofClients: Set<String> = ["URL", "TOKEN", "RUN_ID"]
    /// Prefixes of the names that Kubernetes sets in each container for a service named `nn-monitor`.
    private static let ofKubernetes = ["PORT_", "SERVICE_"]

    /// Whether a name, with its prefix, is known but not a setting.
    static func contains(_ name: String) -> Bool {
        guard name.hasPrefix(SettingDescriptor.prefix) else { return false }
        let rest = String(name.dropFirst(SettingDescriptor.prefix.count))
        return ofClients.contains(rest) || ofKubernetes.contains { rest.hasPrefix($0) }
    }

    /// Removes the `PORT` that Kubernetes sets, such as `tcp://10.96.12.34:8000`.
    ///
    /// - Returns: The rest of the environment, and a sentence to log if the name was removed.
    static func removed(from environment: [String: String]) -> (environment: [String: String], ignored: [String]) {
        let name = SettingDescriptor.prefix + "PORT"
        guard let value = environment[name], value.wholeMatch(of: /(tcp|udp|sctp):\/\/.*/) != nil else {
            return (environment, [])
        }
        let sentence =
            "\(name) is '\(value.oneLine)', which Kubernetes sets for a service named nn-monitor, and is ignored; to "
            + "set the port here, use --port or .env, or set enableServiceLinks to false in the pod"
        return (environment.filter { $0.key != name }, [sentence])
    }
}
