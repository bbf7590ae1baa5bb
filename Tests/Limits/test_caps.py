"""More connections than the server's limit."""

import contextlib
import time

import pytest
from Support.clients.libraries import healthy, wait_until
from Support.load.ordinary_client import OrdinaryClient
from Support.load.resource_check import ResourceCheck
from Support.wire.raw import RawConnection, request
from Support.wire.raw_websocket import RawWebSocket

CAP = 50
# Connections over the limit in each round.
OVER = 200


def admitted(server, source: str) -> RawConnection | None:
    """Connects and sends a request. Returns None if the server closes instead of answering."""
    connection = RawConnection(server, tls=False, source=source)
    try:
        if connection.ask(request()).status == 200:
            return connection
    except (AssertionError, OSError):
        # Closed normally or reset, before or after the request was sent.
        pass
    connection.close()
    return None


def fill(server, source: str, count: int) -> list[RawConnection]:
    connections = [admitted(server, source) for _ in range(count)]
    assert all(connections), "a connection below the limit was refused"
    return connections


@pytest.mark.parametrize("option", ["--max-connections-per-address", "--max-connections"])
def test_connections_over_a_limit_are_closed_at_once_and_one_that_closes_makes_room(start_server, option):
    own = start_server(option, CAP, "--idle-timeout", 600, "--max-steps-per-run", 100_000, counted=True)
    name = f"{CAP} connections, {option}"
    of_each_address = option == "--max-connections-per-address"
    resources = ResourceCheck(own, name)
    for number in resources.rounds(2):
        # Another client runs during the warm-up.
        with contextlib.nullcontext() if number else OrdinaryClient(own, name) as other:
            # It has two connections from its own address: one for requests, one for its WebSocket.
            room = CAP if of_each_address or not other else CAP - 2
            inside = fill(own, "127.0.0.2", room)
            logged, began = len(own.lines), time.monotonic()
            for _ in range(OVER):
                with RawConnection(own, tls=False, source="127.0.0.2") as over:
                    # No request was sent: the server closes by itself.
                    assert over.gone()
            elsewhere = admitted(own, "127.0.0.3")
            assert bool(elsewhere) == of_each_address
            # The accepted connections stay open, including those of the other client.
            assert all(connection.ask(request()).status == 200 for connection in inside)
            if other:
                posted = len(other.posted)
                wait_until(lambda: len(other.posted) > posted + 5)  # noqa: B023
            # A closed connection makes room for exactly one.
            for _ in range(3):
                inside.pop().close()
                inside.append(wait_until(lambda: admitted(own, "127.0.0.2")))
                assert admitted(own, "127.0.0.2") is None
            unexpected = [line for line in own.lines[logged:] if ": request " not in line]
            # Refused connections are folded: one log line a minute.
            assert all("connection refused" in line for line in unexpected), unexpected
            assert len(unexpected) <= 1 + (time.monotonic() - began) // 60
            for connection in [*inside, *filter(None, [elsewhere])]:
                connection.close()
        wait_until(lambda: own.descriptors() <= resources.descriptors)
        for connection in fill(own, "127.0.0.2", CAP):
            connection.close()
    assert any("connection refused" in line and option.removeprefix("--").replace("-", "_").upper() in line
               for line in own.lines)


def test_a_refused_subscriber_is_told_and_room_is_made_when_one_leaves(start_server):
    name = f"{CAP} subscribers"
    own = start_server("--max-subscribers", CAP, "--max-steps-per-run", 100_000, counted=True)

    def taken():
        socket = RawWebSocket(own)
        if socket.answer.status == 101:
            return socket
        socket.close()
        return None

    for _ in ResourceCheck(own, name).rounds(2):
        # The connections of the previous round have been released.
        wait_until(lambda: healthy(own)["active_connections"] == 0)
        with OrdinaryClient(own, name) as other:
            # The other client is one of the subscribers.
            inside = [RawWebSocket(own) for _ in range(CAP - 1)]
            assert {socket.answer.status for socket in inside} == {101}
            # The other client connects at its own pace.
            wait_until(lambda: healthy(own)["active_connections"] == CAP)
            for _ in range(3 * CAP):
                with RawWebSocket(own) as over:
                    assert over.answer.status == 503
                    assert over.answer["retry-after"] == "10"
            inside.pop().close()
            inside.append(wait_until(taken))
            for socket in inside:
                # The refused connections did not affect the accepted ones.
                assert list(socket.read_until("initial_runs")["data"]) == [other.run]
                assert socket.read_until("new_metrics")["run_id"] == other.run
                socket.close()
