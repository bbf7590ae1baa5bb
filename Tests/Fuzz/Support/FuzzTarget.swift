/// A component of the server that is fed with inputs from libFuzzer or with the seeds and regressions.
package protocol FuzzTarget: AnyObject {
    /// Feeds one input and checks the component's properties.
    ///
    /// - Parameter input: any bytes.
    func run(_ input: [UInt8])
}

/// Ends the process if a property is violated.
///
/// - Parameters:
///   - holds: the property.
///   - promise: the description of the property.
///   - file: the location of the check.
///   - line: the location of the check.
func require(
    _ holds: @autoclosure () -> Bool, _ promise: @autoclosure () -> String, file: StaticString = #fileID,
    line: UInt = #line
) {
    if !holds() { fatalError(FuzzInput.name.map { "\($0): \(promise())" } ?? promise(), file: file, line: line) }
}
