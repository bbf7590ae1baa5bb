#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The arguments of the process. On Linux, Swift reads them from `/proc/self/cmdline`: without `/proc` the list is
/// empty, and every option would be ignored.
package enum ProcessArguments {
    /// Exits with the code of an invalid setting if the arguments cannot be read.
    package static func requireThem() {
        guard let refusal = refusal(arguments: CommandLine.arguments) else { return }
        LogOutput.standardError.put(Array("\(refusal)\n".utf8))
        exit(64)
    }

    /// The reason that the process cannot start with these arguments; `nil` if it can. The first argument is the
    /// program's name, so a list that could be read is not empty.
    static func refusal(arguments: [String]) -> String? {
        guard arguments.isEmpty else { return nil }
        return "the command line cannot be read, because /proc is not mounted; mount it, and start again"
    }
}
