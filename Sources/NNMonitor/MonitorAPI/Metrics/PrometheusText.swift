/// Writes metrics in Prometheus's text format, version 0.0.4.
struct PrometheusText {
    /// The media type of the format.
    static let type = "text/plain; version=0.0.4; charset=utf-8"

    /// The kind of a metric.
    enum Kind: String {
        case counter, gauge
    }

    /// The text written so far.
    private(set) var text = ""

    /// Writes a metric without labels.
    ///
    /// - Parameters:
    ///   - name: the name, without the prefix of this server.
    ///   - kind: whether the value only grows.
    ///   - help: one sentence, without line breaks and backslashes.
    ///   - value: the value.
    mutating func write(_ name: String, _ kind: Kind, _ help: String, _ value: some Numeric) {
        begin(name, kind, help)
        text += "nnmonitor_\(name) \(value)\n"
    }

    /// Writes a counter for each value of a label.
    ///
    /// - Parameters:
    ///   - name: the name, without the prefix of this server.
    ///   - help: one sentence, without line breaks and backslashes.
    ///   - label: the name of the label.
    ///   - counts: the values of the label, which need no escapes, and their counts.
    mutating func write(
        _ name: String, _ help: String, label: String = "reason", by counts: [(value: String, count: Int)]
    ) {
        begin(name, .counter, help)
        for (value, count) in counts { text += "nnmonitor_\(name){\(label)=\"\(value)\"} \(count)\n" }
    }

    private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP nnmonitor_\(name) \(help)\n# TYPE nnmonitor_\(name) \(kind.rawValue)\n"
    }
}
