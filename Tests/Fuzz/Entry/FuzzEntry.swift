import Foundation
import FuzzTargets

/// The libFuzzer entry point. The environment variable `FUZZ_TARGET` selects the target.
///
/// libFuzzer provides `main` and calls `LLVMFuzzerTestOneInput` for each input. A violated property ends the process
/// (`require`), and libFuzzer then reports the input.
enum FuzzEntry {
    /// The target of this process.
    ///
    /// `nonisolated(unsafe)` is sound: only `testOneInput` uses it, and libFuzzer calls that on one thread.
    nonisolated(unsafe) static let chosen: any FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
        guard let make = FuzzTargets.all[name] else {
            let names = FuzzTargets.all.keys.sorted().joined(separator: ", ")
            FileHandle.standardError.write(Data("FUZZ_TARGET must be one of \(names), not '\(name)'\n".utf8))
            exit(64)
        }
        return make()
    }()
}

/// libFuzzer's callback for one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // libFuzzer keeps the pointer valid during the call. The array has exactly the size of the input, so that
    // AddressSanitizer detects reads past the end.
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    unsafe FuzzEntry.chosen.run(input)
    return 0
}
