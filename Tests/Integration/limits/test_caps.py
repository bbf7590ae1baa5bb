"""More connections than the server takes."""

import pytest
from support.bystander import Bystander
from support.clients import session, wait_until
from support.raw import RawConnection, request
from support.raw_websocket import RawWebSocket
from support.vitals import Vitals

CAP = 50


def admitted(server, source: str) -> RawConnection | None:
    """Connects and asks; None when the server closes instead of answering."""
    connection = RawConnection(server, tls=False, source=source)
    try:
        if connection.ask(request()).status == 200:
            return connection
    except (AssertionError, OSError):
        # Closed in good order or by a reset, before or after the request was sent.
        pass
    connection.close()
    return None


def fill(server, source: str, count: int) -> list[RawConnection]:
    connections = [admitted(server, source) for _ in range(count)]
    assert all(connections), "a connection below the limit was refused"
    return connections


@pytest.mark.parametrize("option", ["--max-connections-per-address", "--max-connections"])
def test_connections_over_a_limit_are_closed_at_once_and_one_that_closes_makes_room(start_server, option):
    own = start_server(option, CAP, "--idle-timeout", 600, "--max-steps-per-run", 100_000)
    name = f"{CAP} connections, {option}"
    of_each_address = option == "--max-connections-per-address"
    with Vitals(own, name) as vitals:
        with Bystander(own, name) as other:
            # The other client has a connection for requests and one for its WebSocket, from an address of its own.
            room = CAP if of_each_address else CAP - 2
            inside = fill(own, "127.0.0.2", room)
            logged = len(own.lines)
            for _ in range(10 * CAP):
                with RawConnection(own, tls=False, source="127.0.0.2") as over:
                    # Nothing was asked: the server closes by itself.
                    assert over.gone()
            elsewhere = admitted(own, "127.0.0.3")
            assert bool(elsewhere) == of_each_address
            # Who is inside stays there, the other client, too.
            assert all(connection.ask(request()).status == 200 for connection in inside)
            posted = len(other.posted)
            wait_until(lambda: len(other.posted) > posted + 5)
            # Whoever closes makes room for one, and for no more than one.
            for _ in range(3):
                inside.pop().close()
                inside.append(wait_until(lambda: admitted(own, "127.0.0.2")))
                assert admitted(own, "127.0.0.2") is None
            unexpected = [line for line in own.lines[logged:] if ": request " not in line]
            # One line for all that were refused; what follows is folded.
            assert len(unexpected) == 1 and "connection refused" in unexpected[0]
            for connection in [*inside, *filter(None, [elsewhere])]:
                connection.close()
        wait_until(lambda: own.descriptors() <= vitals.descriptors)
        for connection in fill(own, "127.0.0.2", CAP):
            connection.close()
    with session(own) as client:
        stored = client.get(f"{own.url}/api/v1/runs/{other.run}").json()["steps"]
    assert len(stored) == len(other.posted)


def test_a_refused_subscriber_is_told_and_room_is_made_when_one_leaves(start_server):
    own, name = start_server("--max-subscribers", CAP, "--max-steps-per-run", 100_000), f"{CAP} subscribers"
    with Vitals(own, name), Bystander(own, name) as other:
        # The other client is one of them.
        inside = [RawWebSocket(own) for _ in range(CAP - 1)]
        assert {socket.answer.status for socket in inside} == {101}
        for _ in range(3 * CAP):
            with RawWebSocket(own) as over:
                assert over.answer.status == 503
                assert over.answer["retry-after"] == "10"
        inside.pop().close()

        def taken():
            socket = RawWebSocket(own)
            if socket.answer.status == 101:
                return socket
            socket.close()
            return None

        inside.append(wait_until(taken))
        for socket in inside:
            # Who was let in has not been harmed by who was not.
            assert list(socket.read_until("initial_runs")["data"]) == [other.run]
            assert socket.read_until("new_metrics")["run_id"] == other.run
            socket.close()
