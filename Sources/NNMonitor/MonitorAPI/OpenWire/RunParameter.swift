import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

extension HTTPRequest {
    /// The run id in the path.
    ///
    /// - Throws: `HTTPError` with 422 if the id is invalid.
    func runID() throws(HTTPError) -> RunID {
        let id = RunID(parameters[0])
        if let problem = id.problem {
            let rejection = RejectedPayload(issues: [PayloadIssue(problem, at: [.key("run")])], part: .path)
            throw HTTPError(.json(ByteBuffer(bytes: rejection.body()), status: .unprocessableEntity))
        }
        return id
    }
}
