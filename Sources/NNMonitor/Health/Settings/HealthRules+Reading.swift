import Foundations
package import MonitorCore

/// Reads `HEALTH_RULES` (CONFIGURATION.md, "Rules of layer health").
extension HealthRules {
    /// Reads a file.
    ///
    /// - Parameter text: the file, UTF-8.
    /// - Throws: `SettingsJSON.Failure` with the line of the first error.
    package init(reading text: [UInt8]) throws(SettingsJSON.Failure) {
        let file = try SettingsJSON.read(text)
        for member in Self.rulesFirst(try Self.members(of: file, "the file")) where member.key != "projects" {
            try Self.read(member, into: &scope, allowed: ["rules", "layers", "names", "projects"])
        }
        for member in try Self.members(of: file, "the file") where member.key == "projects" {
            for project in try Self.members(of: member.value, "projects") {
                // What a project does not state is as for all runs.
                var own = scope
                for member in Self.rulesFirst(try Self.members(of: project.value, "project \(project.key)")) {
                    try Self.read(member, into: &own, allowed: ["rules", "layers", "names"])
                }
                projects[ByteString(project.key)] = own
            }
        }
    }

    /// The rules of layers begin with those of all layers, wherever these are in the file.
    private static func rulesFirst(_ members: [SettingsJSON.Member]) -> [SettingsJSON.Member] {
        members.filter { $0.key == "rules" } + members.filter { $0.key != "rules" }
    }

    private static func read(
        _ member: SettingsJSON.Member, into scope: inout Scope, allowed: [String]
    ) throws(SettingsJSON.Failure) {
        switch member.key {
        case "rules":
            try read(rules: member.value, into: &scope.rules)
            for index in scope.layers.indices { try read(rules: member.value, into: &scope.layers[index].rules) }
        case "layers":
            guard case .list(let entries) = member.value.value else {
                throw .init(line: member.line, "layers must be a list of {\"match\": PATTERN, \"rules\": {...}}")
            }
            var layers: [(pattern: IDPattern, rules: RuleSet)] = []
            for entry in entries { layers.append(try read(layer: entry, scope.rules)) }
            // The patterns of a project come before those of all runs.
            scope.layers = layers + scope.layers
        case "names": try read(names: member.value, into: &scope.names)
        default:
            throw .init(
                line: member.line,
                "\(quoted(member.key)) is unknown: the keys here are \(allowed.joined(separator: ", "))")
        }
    }

    private static func read(
        layer entry: SettingsJSON, _ base: RuleSet
    ) throws(SettingsJSON.Failure) -> (pattern: IDPattern, rules: RuleSet) {
        var rules = base
        var pattern: IDPattern?
        for member in try members(of: entry, "an entry of layers") {
            switch (member.key, member.value.value) {
            case ("match", .text(let text)) where !text.isEmpty: pattern = Self.pattern(text)
            case ("match", _): throw .init(line: member.line, "match must be a layer id, in which * is any text")
            case ("rules", _): try read(rules: member.value, into: &rules)
            default: throw .init(line: member.line, "\(quoted(member.key)) is unknown: the keys here are match, rules")
            }
        }
        guard let pattern else { throw .init(line: entry.line, "an entry of layers needs \"match\"") }
        return (pattern, rules)
    }

    /// A pattern of layer ids; `.` is the same as `/`.
    private static func pattern(_ text: String) -> IDPattern {
        let served = text.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "/") : $0 }
        return IDPattern(
            parts: served.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) })
    }

    private static func read(rules: SettingsJSON, into set: inout RuleSet) throws(SettingsJSON.Failure) {
        for member in try members(of: rules, "rules") {
            guard let rule = RuleID.allCases.first(where: { $0.name == member.key }) else {
                let names = RuleID.allCases.map(\.name).joined(separator: ", ")
                throw .init(line: member.line, "\(quoted(member.key)) is no rule: the rules are \(names)")
            }
            try read(member.value, of: rule, into: &set)
        }
    }

    private static func read(
        _ value: SettingsJSON, of rule: RuleID, into set: inout RuleSet
    ) throws(SettingsJSON.Failure) {
        let editor = RuleSet.editor(of: rule)
        for member in try members(of: value, rule.name) {
            let name = "\(rule.name).\(member.key)"
            if member.key == "enabled" {
                guard case .boolean(let isEnabled) = member.value.value else {
                    throw .init(line: member.line, "\(name) must be true or false")
                }
                editor.enable(&set, isEnabled)
                continue
            }
            guard editor.parameters.contains(member.key) else {
                let known = (["enabled"] + editor.parameters).joined(separator: ", ")
                throw .init(line: member.line, "\(quoted(member.key)) is no setting of \(rule.name): it has \(known)")
            }
            guard case .number(let number) = member.value.value, number.isFinite, number >= 0 else {
                throw .init(line: member.line, "\(name) must be a number of at least 0")
            }
            if editor.counts.contains(member.key), number != number.rounded() || !(1...10_000).contains(number) {
                throw .init(line: member.line, "\(name) counts reports: it must be a whole number from 1 to 10000")
            }
            editor.set(&set, member.key, number)
        }
    }

    private static func read(names: SettingsJSON, into all: inout InterpretedNames) throws(SettingsJSON.Failure) {
        for member in try members(of: names, "names") {
            guard case .list(let list) = member.value.value, !list.isEmpty else {
                throw .init(line: member.line, "\(member.key) must be a list of names")
            }
            var texts: [String] = []
            for entry in list {
                guard case .text(let text) = entry.value, !text.isEmpty else {
                    throw .init(line: entry.line, "\(member.key) must be a list of names")
                }
                texts.append(text)
            }
            switch member.key {
            case "loss": all.loss = texts
            case "lr": all.learningRate = texts
            case "grad_norm": all.gradNorm = texts
            case "router_load": all.routerLoad = texts
            default:
                throw .init(
                    line: member.line,
                    "\(quoted(member.key)) is unknown: the keys here are loss, lr, grad_norm, router_load")
            }
        }
    }

    private static func members(
        of value: SettingsJSON, _ what: String
    ) throws(SettingsJSON.Failure) -> [SettingsJSON.Member] {
        guard case .object(let members) = value.value else {
            throw .init(line: value.line, "\(what) must be an object")
        }
        return members
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }
}
