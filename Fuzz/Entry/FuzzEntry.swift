import Foundation
import FuzzTargets

/// What libFuzzer drives: one of the targets, named by the environment variable `FUZZ_TARGET`.
///
/// libFuzzer brings the program's `main`, and calls `LLVMFuzzerTestOneInput` with each input that it tries. An input
/// that breaks a promise of the code under test ends the process (`require`), which libFuzzer reports with the input.
enum FuzzEntry {
    /// The target of this process.
    ///
    /// Only `testOneInput` uses it, which libFuzzer calls on one thread.
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

/// The function that libFuzzer calls.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // The pointer is libFuzzer's and valid during this call. The array is of exactly the input's size, so that
    // AddressSanitizer sees a read beyond its end.
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    unsafe FuzzEntry.chosen.run(input)
    return 0
}
