import HTTPService
import MonitorAPI
import NIOCore
import Foundations

/// The open connections: enforces their limits, and closes them when the server stops.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var perAddress: [String: Int] = [:]
        var isStopping = false
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

    private enum Decision {
        case admitted
        case limit(Refusal)
        /// The server stops; the connection was accepted just before.
        case stopping
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
    /// - Returns: Whether it is within the limits and the server is not stopping. If not, the caller closes it.
    func admit(_ channel: any Channel) -> Bool {
        let peer = channel.remoteAddress?.ipAddress ?? ""
        let address = ClientAddress.key(peer)
        let id = ObjectIdentifier(channel)
        let decision = state.withLock { state -> Decision in
            if state.isStopping { return .stopping }
            guard state.channels.count < limit else { return .limit(.total) }
            guard state.perAddress[address, default: 0] < limitPerAddress else { return .limit(.address) }
            state.channels[id] = channel
            state.perAddress[address, default: 0] += 1
            return .admitted
        }
        switch decision {
        case .admitted: break
        case .stopping: return false
        case .limit(let refusal):
            onRefusal(refusal, peer)
            return false
        }
        channel.closeFuture.whenComplete { [self] _ in remove(id, address) }
        return true
    }

    /// Admits no more connections, lets connections finish, and waits until they are closed: a request is answered, a
    /// subscriber gets its queued messages and a close frame.
    ///
    /// - Parameter isIncluded: Chooses among the open connections. Called on the event loop of each, so that no change
    ///   of protocol is under way.
    func finish(where isIncluded: @escaping @Sendable (any Channel) -> Bool) async {
        let open = state.withLock { state in
            state.isStopping = true
            return Array(state.channels.values)
        }
        let signalled = open.map { channel in
            channel.eventLoop.submit {
                guard isIncluded(channel) else { return false }
                channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
                return true
            }
        }
        for (channel, isSignalled) in zip(open, signalled) where (try? await isSignalled.get()) == true {
            try? await channel.closeFuture.get()
        }
    }

    /// Closes all remaining connections.
    func closeAll() async {
        let channels = state.withLock { Array($0.channels.values) }
        for channel in channels { channel.close(promise: nil) }
        for channel in channels { try? await channel.closeFuture.get() }
    }

    private func remove(_ id: ObjectIdentifier, _ address: String) {
        state.withLock { state in
            guard state.channels.removeValue(forKey: id) != nil else { return }
            state.perAddress[address, default: 1] -= 1
            if state.perAddress[address] == 0 { state.perAddress[address] = nil }
        }
    }
}
