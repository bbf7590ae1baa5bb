import HTTPService
import MonitorAPI
import NIOCore
import Foundations

/// The open connections: counted against the limits, and told when the server stops.
final class ConnectionRegistry: Sendable {
    /// What a connection is at the moment.
    private enum Kind {
        case request
        case subscriber
    }

    private struct State {
        var channels: [ObjectIdentifier: (channel: any Channel, kind: Kind)] = [:]
        var perAddress: [String: Int] = [:]
        /// Connections that are no subscribers'.
        var requests = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let limit: Int
    private let limitPerAddress: Int
    private let onRefusal: @Sendable (Refusal, String) -> Void
    private let state = Guarded(State())

    /// The limit for which a connection is refused.
    enum Refusal: String {
        case total = "MAX_CONNECTIONS"
        case address = "MAX_CONNECTIONS_PER_ADDRESS"
    }

    /// - Parameters:
    ///   - limit: connections at once.
    ///   - limitPerAddress: connections at once from one address; an IPv6 /64 counts as one.
    ///   - onRefusal: called with the limit and the client's address for each connection that is refused.
    init(limit: Int, limitPerAddress: Int, onRefusal: @escaping @Sendable (Refusal, String) -> Void = { _, _ in }) {
        self.onRefusal = onRefusal
        self.limit = limit
        self.limitPerAddress = limitPerAddress
    }

    /// Connections now.
    var count: Int { state.withLock { $0.channels.count } }

    /// Takes a new connection in, until it closes.
    ///
    /// - Returns: whether it is within the limits; if not, close it.
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

    /// Notes that a connection has become a subscriber's.
    func becameSubscriber(_ channel: any Channel) {
        change { state in
            let id = ObjectIdentifier(channel)
            guard state.channels[id]?.kind == .request else { return }
            state.channels[id]?.kind = .subscriber
            state.requests -= 1
        }
    }

    /// Asks all connections that are no subscribers' to finish, and waits until they have.
    func finishRequests() async {
        for channel in channels(.request) {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        await withCheckedContinuation { continuation in
            change { $0.waiters.append(continuation) }
        }
    }

    /// Ends all subscribers' sessions, after what waits for them, and waits until they are closed.
    func endSubscribers() async {
        let channels = channels(.subscriber)
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(SubscriberShutdown()) }
        for channel in channels { try? await channel.closeFuture.get() }
    }

    /// Closes whatever is still open.
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

    /// Changes the state; whoever waits for the end of all requests goes on when there are none.
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
