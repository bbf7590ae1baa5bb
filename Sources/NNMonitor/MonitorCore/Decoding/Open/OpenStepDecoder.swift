/// The limits of a step of the open wire that are settings.
package struct OpenStepLimits: Sendable, Equatable {
    /// The largest number of scalars of a step.
    package var scalars: Int
    /// The largest number of metrics of a step, and of names of vectors.
    package var metrics: Int

    /// - Parameters:
    ///   - scalars: the largest number of scalars of a step.
    ///   - metrics: the largest number of metrics of a step, and of names of vectors.
    package init(scalars: Int = 1000, metrics: Int = 128) {
        self.scalars = scalars
        self.metrics = metrics
    }

    /// The largest length of the name of a metric, scalar or vector, in bytes.
    static let nameLength = 128
    /// The largest length of a layer's id, type or group, in bytes.
    static let textLength = 1024
    /// The largest number of layers of a step, so that what is derived from their ids fits into 32-bit offsets.
    static let layers = 1_000_000
    /// The largest number of values of a vector.
    static let vectorLength = 4096
    /// The largest number of dimensions of a layer's shape.
    static let dimensions = 32
}

/// Decodes steps of `POST /api/v2/runs/{run}/steps` in one pass, directly into the columns of a step.
///
/// It builds no tree and allocates nothing per number. Names and layers that equal those of an earlier step are
/// recognised by their bytes and not stored again. Validation continues after an error; only a syntax error ends the
/// pass.
package struct OpenStepDecoder: Sendable {
    private let limits: OpenStepLimits
    private let clock: @Sendable () -> UTCTime

    /// - Parameters:
    ///   - limits: the limits of a step.
    ///   - clock: wall-clock time, for steps without `time`.
    package init(limits: OpenStepLimits = OpenStepLimits(), clock: @escaping @Sendable () -> UTCTime = UTCTime.now) {
        self.limits = limits
        self.clock = clock
    }

    /// Decodes a step.
    ///
    /// - Parameters:
    ///   - bytes: one object: UTF-8 JSON.
    ///   - runID: the run's id.
    ///   - known: the tables of an earlier step of the run.
    ///   - warnings: receives a text for each ignored field; unchanged if the step is rejected.
    /// - Returns: the step, or all errors (SCHEMA.md, "Step of the open wire").
    package func decode(
        _ bytes: UnsafeRawBufferPointer, runID: RunID, known: KnownTables = KnownTables(),
        warnings: inout StepWarnings
    ) -> Result<DecodedStep, RejectedPayload> {
        // The reader does not outlive the closure that provides the buffer. Rebinding bytes to `UInt8` is always valid.
        unsafe bytes.withMemoryRebound(to: UInt8.self) { buffer in
            var decoder = unsafe OpenPayloadDecoder(buffer, limits: limits, known: known, warnings: warnings)
            do throws(JSONSyntaxError) {
                try decoder.payload()
            } catch {
                return .failure(error.rejection)
            }
            if let rejection = decoder.issues.rejection() { return .failure(rejection) }
            warnings = decoder.warnings
            return .success(decoder.decoded(runID: runID, clock: clock))
        }
    }

    /// Decodes a step.
    ///
    /// - Parameters:
    ///   - bytes: one object: UTF-8 JSON.
    ///   - runID: the run's id.
    ///   - known: the tables of an earlier step of the run.
    ///   - warnings: receives a text for each ignored field; unchanged if the step is rejected.
    /// - Returns: the step, or all errors.
    package func decode(
        _ bytes: [UInt8], runID: RunID, known: KnownTables = KnownTables(), warnings: inout StepWarnings
    ) -> Result<DecodedStep, RejectedPayload> {
        // The pointer is used only inside the closure; the result holds no reference to it.
        unsafe bytes.withUnsafeBytes { unsafe decode($0, runID: runID, known: known, warnings: &warnings) }
    }
}
