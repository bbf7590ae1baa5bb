import HTTPService
import MonitorAPI
import NIOCore
import Foundations

/// The open connections: enforces their limits, and closes them when the server stops.
final class ConnectionRegistry: Sendable {
    /// What a connection is used for at the moment.
    private enum Kind {
        case request
        case subscriber
    }

    private struct State {
        var channels: [ObjectIdentifier: (channel: any Channel, kind: Kind)] = [:]
        var perAddress: [String: Int] = [:]
        /// Connections of the kind `request`.
        var requests = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let limit: Int
    private let limitPerAddress: Int
    private let onRefusal: @Sendable (Refusal, String) -> Void
    private let state = Locked(State())

    /// The limit that a refused connection would exceed.
    enum Refusal: String {
        case total = "MAX_CONNECTIONS"
        case address = "MAX_CONNECTIONS_PER_ADDRESS"
    }

    /// - Parameters:
    ///   - limit: Open connections at once.
    ///   - limitPerAddress: Open connections at once from one address; an IPv6 /64 counts as one.
    ///   - onRefusal: Called for each refused connection, with the limit and the client's address.
    init(limit: Int, limitPerAddress: Int, onRefusal: @escaping @Sendable (Refusal, String) -> Void = { _, _ in }) {
        self.onRefusal = onRefusal
        self.limit = limit
        self.limitPerAddress = limitPerAddress
    }

    /// Open connections.
    var count: Int { state.withLock { $0.channels.count } }

    /// Registers a new connection until it closes.
    ///
    /// - Returns: Whether it is within the limits. If not, the caller closes it.
    func admit(_ channel: any Channel) -> Bool {
        let peer = channel.remoteAddress?.ipAddress ?? ""
        let address = ClientAddress.key(peer)
        let id = ObjectIdentifier(channel)
        let refusal = state.withLock { state -> Refusal? in
            guard state.channels.count < limit else { return .total }
            guard state.perAddress[address, default: 0] < limitPerAddress else { return .address }
            state.channels[id] = (channel, .request)
            state.perAddress[address, default: 0] += 1
            state.requests += 1
            return nil
        }
        if let refusal {
            onRefusal(refusal, peer)
            return false
        }
        channel.closeFuture.whenComplete { [self] _ in remove(id, address) }
        return true
    }

    /// Records that a connection now serves a subscriber.
    func becameSubscriber(_ channel: any Channel) {
        change { state in
            let id = ObjectIdentifier(channel)
            guard state.channels[id]?.kind == .request else { return }
            state.channels[id]?.kind = .subscriber
            state.requests -= 1
        }
    }

    /// Lets every connection that does not serve a subscriber finish its request, and waits until all are closed.
    func finishRequests() async {
        for channel in channels(.request) {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        await withCheckedContinuation { continuation in
            change { $0.waiters.append(continuation) }
        }
    }

    /// Sends each subscriber its queued messages and a close frame, and waits until all their connections are closed.
    func endSubscribers() async {
        let channels = channels(.subscriber)
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(SubscriberShutdown()) }
        for channel in channels { try? await channel.closeFuture.get() }
    }

    /// Closes all remaining connections.
    func closeAll() async {
        let channels = channels(.request) + channels(.subscriber)
        for channel in channels { channel.close(promise: nil) }
        for channel in channels { try? await channel.closeFuture.get() }
    }

    private func channels(_ kind: Kind) -> [any Channel] {
        state.withLock { $0.channels.values.filter { $0.kind == kind }.map(\.channel) }
    }

    private func remove(_ id: ObjectIdentifier, _ address: String) {
        change { state in
            guard let removed = state.channels.removeValue(forKey: id) else { return }
            if removed.kind == .request { state.requests -= 1 }
            state.perAddress[address, default: 1] -= 1
            if state.perAddress[address] == 0 { state.perAddress[address] = nil }
        }
    }

    /// Changes the state, and resumes `finishRequests` when no request connection is left.
    private func change(_ body: (inout State) -> Void) {
        let ready = state.withLock { state in
            body(&state)
            guard state.requests == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in ready { waiter.resume() }
    }
}
