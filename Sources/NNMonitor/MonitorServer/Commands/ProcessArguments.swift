#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The arguments that the process was started with. On Linux Swift reads them from `/proc/self/cmdline`: without `/proc`
/// there are none, and every option would be ignored.
package enum ProcessArguments {
    /// Ends the process, as a bad setting does, when its arguments can't be read.
    package static func requireThem() {
        guard let refusal = refusal(arguments: CommandLine.arguments) else { return }
        LogOutput.standardError.put(Array("\(refusal)\n".utf8))
        exit(64)
    }

    /// Why the process can't start with these arguments; nil when it can. The first is the program's name, so that there
    /// is always one.
    static func refusal(arguments: [String]) -> String? {
        guard arguments.isEmpty else { return nil }
        return "the command line cannot be read, because /proc is not mounted; mount it, and start again"
    }
}
