"""The limit on subscribers, their number, and their end when the server stops."""

import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from Support.clients.libraries import healthy, receive, subscribe, wait_until
from Support.wire.raw import RawConnection, request
from Support.wire.raw_websocket import RawWebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus


def test_subscribers_are_closed_with_1001_at_shutdown(start_server):
    own = start_server()
    with subscribe(own) as first, subscribe(own, None) as second, RawWebSocket(own) as third:
        for socket in (first, second):
            assert receive(socket)["type"] == "initial_runs"
        own.signal(signal.SIGTERM)
        for socket in (first, second):
            with pytest.raises(ConnectionClosed) as closed:
                receive(socket, "never")
            assert closed.value.rcvd.code == 1001
        assert third.read_close() == 1001
    assert own.stop() == 0


def test_a_handshake_that_ends_while_the_server_stops_is_refused(start_server):
    own = start_server()
    head = request("/ws", headers=["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
    with RawConnection(own) as late, RawWebSocket(own) as subscriber, RawConnection(own) as idle:
        assert idle.ask(request()).status == 200
        late.send(head[:-4])
        # The server has read this before it stops.
        assert healthy(own)["active_connections"] == 1
        own.signal(signal.SIGTERM)
        assert idle.gone()
        late.send(head[-4:])
        answer = late.read_response()
        assert (answer.status, answer["connection"].lower()) == (503, "close")
        assert answer.json()["detail"]["error"] == "stopping"
        assert late.ended()
        late.close()
        # A subscriber is closed after all other connections.
        assert subscriber.read_close() == 1001
    assert own.stop() == 0


def test_subscriber_beyond_the_limit_is_refused_until_one_leaves(start_server):
    own = start_server("--max-subscribers", 2)
    with subscribe(own) as first:
        with subscribe(own) as second:
            assert receive(second)["type"] == "initial_runs"
            with pytest.raises(InvalidStatus) as refused, subscribe(own):
                pass
            assert refused.value.response.status_code == 503
            # A subscriber is counted before its handshake is answered.
            assert healthy(own)["active_connections"] == 2

        def free_again():
            try:
                with subscribe(own) as third:
                    return receive(third)["type"] == "initial_runs"
            except InvalidStatus:
                return False

        wait_until(free_again)
        assert receive(first)["type"] == "initial_runs"


def test_handshakes_at_the_same_time_fill_the_limit_exactly(start_server):
    own = start_server("--max-subscribers", 5)
    with ThreadPoolExecutor(40) as pool:
        for _ in range(5):
            wait_until(lambda: healthy(own)["active_connections"] == 0)
            sockets = list(pool.map(lambda _: RawWebSocket(own), range(40)))
            assert healthy(own)["active_connections"] == 5
            assert Counter(socket.answer.status for socket in sockets) == {101: 5, 503: 35}
            for socket in sockets:
                socket.close()
