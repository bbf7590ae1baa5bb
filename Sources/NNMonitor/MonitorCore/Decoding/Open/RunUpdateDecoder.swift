/// Decodes the bodies of `PUT /api/v2/runs/{run}` and `POST /api/v2/runs/{run}/alerts`.
package enum RunUpdateDecoder {
    /// The largest size of a short text, in bytes: a name or a tag.
    private static let shortText = 1024
    /// The largest size of a long text, in bytes: notes, a reason or the text of an alert.
    private static let longText = 64 << 10
    /// The largest number of tags.
    private static let maximumTags = 100

    private static let updateFields: [StaticString] = [
        "project", "name", "group", "tags", "notes", "config", "state", "exit_code", "reason", "resume_from",
    ]
    private static let alertFields: [StaticString] = ["level", "title", "text", "step"]

    /// Decodes an update of a run.
    ///
    /// - Parameter bytes: the body: UTF-8 JSON.
    /// - Returns: the update, or all errors.
    package static func update(_ bytes: UnsafeRawBufferPointer) -> Result<RunUpdate, RejectedPayload> {
        // The decoder does not keep the pointer.
        unsafe ObjectDecoder.decode(bytes, updateFields, into: RunUpdate()) {
            decoder, field, update throws(JSONSyntaxError) in
            switch updateFields[field].description {
            case "project": update.project = try text(&decoder, shortText)
            case "name": update.name = try text(&decoder, shortText)
            case "group": update.group = try text(&decoder, shortText)
            case "tags":
                update.tags =
                    try decoder.null() ? nil : decoder.texts(maximumCount: maximumTags, maximum: shortText)
            case "notes": update.notes = try text(&decoder, longText)
            case "config": update.config = try decoder.null() ? nil : decoder.config()
            case "state":
                let states = RunState.allCases
                update.state = try decoder.null() ? nil : decoder.word(of: states.map(\.name)).map { states[$0] }
            case "exit_code":
                update.exitCode = try decoder.null() ? .cleared : decoder.integer().map { .set($0) } ?? .unchanged
            case "reason": update.reason = try text(&decoder, longText)
            default: update.resumeFrom = try decoder.null() ? nil : decoder.integer(minimum: 0)
            }
        }
    }

    /// Decodes an alert of a trainer.
    ///
    /// - Parameter bytes: the body: UTF-8 JSON.
    /// - Returns: the alert, or all errors.
    package static func alert(_ bytes: UnsafeRawBufferPointer) -> Result<PostedAlert, RejectedPayload> {
        // The decoder does not keep the pointer.
        unsafe ObjectDecoder.decode(bytes, alertFields, required: [1], into: PostedAlert()) {
            decoder, field, alert throws(JSONSyntaxError) in
            switch alertFields[field].description {
            case "level":
                let levels = AlertLevel.allCases
                let level = try decoder.null() ? nil : decoder.word(of: levels.map(\.name))
                alert.level = level.map { levels[$0] } ?? .info
            case "title": alert.title = try decoder.text(minimum: 1, maximum: shortText) ?? []
            case "text": alert.text = try decoder.null() ? nil : decoder.text(maximum: longText)
            default: alert.step = try decoder.null() ? nil : decoder.integer(minimum: 0)
            }
        }
    }

    /// Decodes an update of a run.
    ///
    /// - Parameter bytes: the body: UTF-8 JSON.
    /// - Returns: the update, or all errors.
    package static func update(_ bytes: [UInt8]) -> Result<RunUpdate, RejectedPayload> {
        // The pointer is used only inside the closure; the result holds no reference to it.
        unsafe bytes.withUnsafeBytes { unsafe update($0) }
    }

    /// Decodes an alert of a trainer.
    ///
    /// - Parameter bytes: the body: UTF-8 JSON.
    /// - Returns: the alert, or all errors.
    package static func alert(_ bytes: [UInt8]) -> Result<PostedAlert, RejectedPayload> {
        // The pointer is used only inside the closure; the result holds no reference to it.
        unsafe bytes.withUnsafeBytes { unsafe alert($0) }
    }

    private static func text(
        _ decoder: inout ObjectDecoder, _ maximum: Int
    ) throws(JSONSyntaxError) -> FieldChange<[UInt8]> {
        if try decoder.null() { return .cleared }
        return try decoder.text(maximum: maximum).map { .set($0) } ?? .unchanged
    }
}
