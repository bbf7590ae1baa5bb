/// Limits on the output of an inflater.
package struct ExpansionLimits: Sendable, Equatable {
    /// The maximum output in bytes.
    package var maximumSize: Int
    /// The maximum output in bytes for each byte of input.
    package var maximumRatio: Int
    /// The output in bytes up to which the ratio is not checked: short inputs can have high ratios.
    package var ratioFloor: Int

    /// Makes limits; see the properties.
    package init(maximumSize: Int, maximumRatio: Int, ratioFloor: Int = 64 * 1024) {
        self.maximumSize = maximumSize
        self.maximumRatio = maximumRatio
        self.ratioFloor = ratioFloor
    }
}
