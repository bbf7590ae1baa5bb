import Compression
import NIOCore
import NIOHTTP1

/// Decides from the head whether a request is admitted, before its body is read. It has no side effects except in the
/// authenticator, and does not block the event loop.
///
/// `RequestDecoder` has checked that the head is well-formed. The order of the checks here: host, expectation, route,
/// method (CORS preflight for OPTIONS), identity and scope, origin, content type and coding, size.
struct HeadGate: Sendable {
    /// The gate's decision.
    enum Admission {
        /// Respond now; the rest of the body is discarded.
        case answer(HTTPResponse)
        /// Respond now and close, because the end of this request is doubtful.
        case answerAndClose(HTTPResponse)
        /// Read the body, then run the route.
        case proceed(Admitted)
    }

    /// An admitted request without its body.
    struct Admitted {
        var route: Route
        var request: HTTPRequest
        var coding: RequestCoding
        var keepsBody: Bool
        /// The maximum size of the body, compressed and decompressed, in bytes.
        var bodyLimit: Int
    }

    let configuration: HTTPConfiguration
    let router: Router
    let authenticator: Authenticator
    let assets: StaticAssets
    /// The login of pages; without one, pages get 401 as other files do.
    let login: (any PageLogin)?

    /// What is known of a request even if it is rejected.
    final class Caller {
        /// Whether the client is authenticated.
        var isKnown = false
        /// The observer of the request's route.
        var observer: (any RouteObserver)?
    }

    func admit(
        _ head: RequestHead, peer: String, port: Int, secure: Bool, caller: Caller = Caller()
    ) -> Admission {
        // CONNECT requests a tunnel; its target is not a path.
        if head.method == .CONNECT { return .answerAndClose(RequestFailure.methodUnknown.response) }
        guard let target = RequestTarget(head.uri) else {
            return .answer(
                .error(.badRequest, code: "bad_request", message: "The request's target is not valid"))
        }
        if let refusal = self.refusalOfHost(head, target: target, secure: secure) { return refusal }
        if let refusal = self.refusalOfExpectation(head) { return refusal }
        let context = RequestContext(
            head: head, target: target, peer: peer, port: port, secure: secure, caller: caller)
        if target.path == "*" {
            guard head.method == .OPTIONS else {
                return .answer(
                    .error(.badRequest, code: "bad_request", message: "The target * is allowed only with OPTIONS"))
            }
            let methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
            return .answer(HTTPResponse(status: .noContent, headers: ["Allow": methods]))
        }
        let match = self.router.match(target.segments)
        if let match, let route = match.route(for: head.method) {
            return self.admit(context, to: route, parameters: match.parameters)
        }
        let asset = self.asset(of: target)
        guard match != nil || asset != nil else { return .answer(self.unrouted(target)) }
        let methods = Self.methods(match: match, asset: asset)
        if head.method == .OPTIONS { return .answer(self.options(head, methods: methods)) }
        if let asset, head.method == .GET || head.method == .HEAD {
            return self.answer(context, with: asset)
        }
        var response = HTTPResponse.detail(.methodNotAllowed, "Method Not Allowed")
        response.headers.add(name: "Allow", value: methods.joined(separator: ", "))
        return .answer(response)
    }

    /// A request and its connection.
    struct RequestContext {
        var head: RequestHead
        var target: RequestTarget
        var peer: String
        /// The local port of the connection.
        var port: Int
        var secure: Bool
        var caller: Caller
    }

    // MARK: Routing

    private func unrouted(_ target: RequestTarget) -> HTTPResponse {
        if let (clean, location) = target.withoutTrailingSlash,
            self.router.match(clean.segments) != nil || self.asset(of: clean) != nil
        {
            let reference = RelativeReference.to(location, from: target.path)
            return .redirect(to: reference, status: .temporaryRedirect)
        }
        return .detail(.notFound, "Not Found")
    }

    /// The asset of a target. An escaped slash is part of a name rather than a separator, and no file name contains
    /// one.
    private func asset(of target: RequestTarget) -> Asset? {
        guard !target.segments.contains(where: { $0.utf8.contains(UInt8(ascii: "/")) }) else { return nil }
        return self.assets.asset(at: "/" + target.segments.joined(separator: "/"))
    }

    private static func methods(match: Router.Match?, asset: Asset?) -> [String] {
        var methods = match?.routes.map(\.method) ?? []
        if asset != nil, !methods.contains(.GET) { methods.insert(.GET, at: 0) }
        return Router.methods(of: methods)
    }

    private func options(_ head: RequestHead, methods: [String]) -> HTTPResponse {
        if head.headers.contains(name: "origin"), head.headers.contains(name: "access-control-request-method") {
            return CORSPolicy.preflight(head.headers, methods: methods)
        }
        return HTTPResponse(status: .noContent, headers: ["Allow": methods.joined(separator: ", ")])
    }

    // MARK: Routes

    private func admit(_ context: RequestContext, to route: Route, parameters: [String]) -> Admission {
        context.caller.observer = route.observer
        var access: AccessGrant?
        if let scope = route.scope {
            let isReading = context.head.method == .GET || context.head.method == .HEAD
            let action: OriginCheck.Action = route.isUpgrade ? .upgrading : isReading ? .reading : .changing
            switch self.authorize(context, scope: scope, or: route.alternative, action: action, isPage: false) {
            case .granted(let granted): access = granted
            case .refused(let response): return .answer(response)
            }
        }
        let headers = context.head.headers
        var policy = BodyPolicy.none
        if case .handle(let accepted, _) = route.action { policy = accepted }
        if let refusal = self.refusalOfType(context.head, policy: policy) { return .answer(refusal) }
        let hasLines = policy == .jsonOrLines && MediaType.isLines(headers)
        let limit =
            switch policy {
            case .form: min(self.configuration.maximumFormSize, self.configuration.maximumRequestSize)
            case .jsonOrLines where hasLines: self.configuration.maximumBatchSize
            case .none, .json, .jsonOrLines: self.configuration.maximumRequestSize
            }
        if let length = context.head.framing.length, length > limit {
            return .answer(BodyFailure.tooLarge(limit: limit).response)
        }
        let coding = policy == .none ? .identity : RequestCoding.of(headers) ?? .identity
        var request = HTTPRequest(
            method: context.head.method, path: context.target.path, parameters: parameters, query: context.target.query,
            headers: headers, peer: context.peer, port: context.port, secure: context.secure, access: access)
        if hasLines {
            request.lines = LineBody(
                coding: coding,
                limits: ExpansionLimits(
                    maximumSize: limit, maximumRatio: self.configuration.maximumExpansionRatio, ratioFloor: 65_536))
        }
        return .proceed(
            Admitted(
                route: route, request: request, coding: hasLines ? .identity : coding,
                keepsBody: policy != .none, bodyLimit: limit))
    }

    private func refusalOfType(_ head: RequestHead, policy: BodyPolicy) -> HTTPResponse? {
        let headers = head.headers
        let isEmpty = head.framing.length == 0
        let isTyped =
            switch policy {
            case .none: true
            case .json: MediaType.isJSON(headers)
            case .jsonOrLines: MediaType.isJSON(headers) || MediaType.isLines(headers)
            // An empty form needs no content type: the handler then reports the missing field.
            case .form: MediaType.isForm(headers) || (headers["content-type"].isEmpty && isEmpty)
            }
        guard isTyped else {
            return .error(
                .unsupportedMediaType, code: "unsupported_media_type",
                message: policy == .json
                    ? "The Content-Type must be application/json"
                    : policy == .jsonOrLines
                        ? "The Content-Type must be application/json, or application/x-ndjson for several steps"
                        : "The Content-Type must be application/x-www-form-urlencoded")
        }
        guard policy == .none || RequestCoding.of(headers) != nil else {
            var response = HTTPResponse.error(
                .unsupportedMediaType, code: "unsupported_media_type",
                message: "The Content-Encoding must be either gzip or deflate")
            response.headers.add(name: "Accept-Encoding", value: "gzip, deflate")
            return response
        }
        return nil
    }
}
