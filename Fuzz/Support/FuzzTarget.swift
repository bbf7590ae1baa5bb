/// A part of the server that is fed with bytes: those that libFuzzer makes up, or the seeds and regressions.
package protocol FuzzTarget: AnyObject {
    /// Feeds one input, and checks what the part promises about any input.
    ///
    /// - Parameter input: the bytes.
    func run(_ input: [UInt8])
}

/// Ends the process when a promise is broken.
///
/// - Parameters:
///   - holds: the promise.
///   - promise: says what was promised.
///   - file: where it is checked.
///   - line: where it is checked.
func require(
    _ holds: @autoclosure () -> Bool, _ promise: @autoclosure () -> String, file: StaticString = #fileID,
    line: UInt = #line
) {
    if !holds() { fatalError(FuzzInput.name.map { "\($0): \(promise())" } ?? promise(), file: file, line: line) }
}
