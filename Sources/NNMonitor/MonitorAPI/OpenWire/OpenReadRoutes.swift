import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// The routes that read the steps of a run in the open wire's form.
struct OpenReadRoutes: Sendable {
    private let monitor: Monitor
    private var failures: StoreFailures { monitor.failures }

    init(_ monitor: Monitor) { self.monitor = monitor }

    var routes: [Route] {
        [
            .on(.GET, "/api/v2/runs/{run}/steps", scope: .read) { request in
                try await failures.answering(.history) { try await steps(request) }
            },
            .on(.GET, "/api/v2/runs/{run}/vectors", scope: .read) { request in
                try await failures.answering(.history) { try await vectors(request) }
            },
            .on(.GET, "/api/v2/runs/{run}/export", scope: .read) { request in
                try await failures.answering(.history) { try await export(request) }
            },
        ]
    }

    private static let lines = "application/x-ndjson"

    /// Steps, one a line.
    private func steps(_ request: HTTPRequest) async throws -> HTTPResponse {
        var parameters = QueryParameters(request)
        let range = StepRange(&parameters, allowsLast: true)
        let form = OpenStepForm(metrics: parameters.names("metrics"), layers: parameters.patterns("layers"))
        try parameters.finish()
        return try await lines(monitor.snapshot(request.runID()), range, form, request)
    }

    private func lines(
        _ snapshot: RunSnapshot, _ range: StepRange, _ form: OpenStepForm, _ request: HTTPRequest
    ) async throws -> HTTPResponse {
        let stream = StepStream(
            reader: try await StepReader(snapshot.steps, range), state: OpenStepEncoder(form: form)
        ) { encoder, record, writer in
            encoder.append(record, to: &writer)
            writer.byte(UInt8(ascii: "\n"))
        }
        return try stream.response(snapshot, request, type: Self.lines, monitor)
    }

    /// All steps as a file: the long form, or one step a line.
    private func export(_ request: HTTPRequest) async throws -> HTTPResponse {
        var parameters = QueryParameters(request)
        let format = parameters.requiredWord("format", of: ["csv", "jsonl"]) ?? ""
        try parameters.finish()
        let snapshot = try await monitor.snapshot(request.runID())
        var response: HTTPResponse
        if format == "jsonl" {
            response = try await lines(snapshot, StepRange(), .all, request)
        } else {
            var header = JSONWriter()
            header.literal(CSVEncoder.header)
            let stream = StepStream(
                reader: try await StepReader(snapshot.steps, StepRange()), prefix: header, state: ()
            ) { _, record, writer in
                CSVEncoder.append(record, to: &writer)
            }
            response = try stream.response(snapshot, request, type: "text/csv; charset=utf-8; header=present", monitor)
        }
        response.headers.add(
            name: "Content-Disposition",
            value: "attachment; filename*=UTF-8''\(PercentCoding.encoded(snapshot.id.text)).\(format)")
        return response
    }

    /// The last vector of each bucket of steps.
    private func vectors(_ request: HTTPRequest) async throws -> HTTPResponse {
        var parameters = QueryParameters(request)
        let name = ByteString(parameters.requiredText("name"))
        let layer = QueryParameters.served(Array(parameters.requiredText("layer").utf8))
        let range = StepRange(&parameters)
        let points = parameters.points()
        try parameters.finish()
        let snapshot = try await monitor.snapshot(request.runID())
        var buckets = StepBuckets()
        var reader = try await StepReader(snapshot.steps, range)
        while let record = try await reader.next() { buckets.note(record.step) }
        let shift = buckets.shift(points: points)
        var collector = VectorBuckets(name: name, layer: layer, shift: shift)
        reader = try await StepReader(snapshot.steps, range)
        while let record = try await reader.next() { collector.note(record) }
        let body = VectorBody(collector.buckets, name: name, layer: layer, lastSeq: snapshot.lastSeq)
        return try body.response(snapshot, request, monitor)
    }
}
