import Foundations

/// Encodes the messages of steps: live ones, and those of a history that is sent step by step.
struct StepMessages: Sendable {
    private static let maximumEncoders = 64

    /// The encoders of the forms in use: each remembers what it selects.
    private var encoders: [OpenStepForm: OpenStepEncoder] = [:]

    /// Appends the message of a step. In the form `runs` there is none.
    mutating func append(_ record: StepRecord, of runID: RunID, _ form: LiveForm, to writer: inout JSONWriter) {
        switch form {
        case .nested(let form):
            writer.literal("{\"type\":\"new_metrics\",\"run_id\":")
            writer.string(runID.text)
            writer.literal(",\"data\":")
            StepEncoder.append(record, form: form, to: &writer)
            writer.literal(",\"seq\":")
            writer.integer(Int64(record.seq))
        case .columns(let form):
            writer.literal("{\"type\":\"step\",\"run_id\":")
            writer.string(runID.text)
            writer.literal(",\"seq\":")
            writer.integer(Int64(record.seq))
            writer.literal(",\"data\":")
            if encoders.count > Self.maximumEncoders { encoders.removeAll() }
            encoders[form, default: OpenStepEncoder(form: form)].append(record, to: &writer)
        case .runs: return
        }
        writer.byte(UInt8(ascii: "}"))
    }
}
