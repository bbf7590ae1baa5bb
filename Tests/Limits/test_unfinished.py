"""Thousands of connections that never complete a request or handshake."""

from functools import partial

from Support.clients.libraries import context, wait_until
from Support.load.crowd import Unfinished, client_hello, open_socket, make_room_for
from Support.load.ordinary_client import OrdinaryClient
from Support.load.resource_check import ResourceCheck
from Support.wire.raw import request

# The server's timeout in seconds, and the number of connections in the round after the warm-up.
DEADLINE, FEWER = 5, 200
# The second in which a late client continues: after the start and before the timeout.
LATE = 3


def wait_for_connections(server, descriptors: int):
    wait_until(lambda: server.descriptors() >= descriptors, 60, "not all were accepted")


def send_part(crowd: Unfinished, head: bytes, second: int):
    crowd.send(lambda _: head[second:second + 1])


def test_two_thousand_heads_at_a_byte_a_second_are_closed_in_time_while_others_are_served(start_server):
    count, deadline, name = 2000, DEADLINE, "2000 slow heads"
    make_room_for(count)
    own = start_server("--header-timeout", deadline, "--max-steps-per-run", 100_000, "--log-level", "warning",
                       counted=True)
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 100
    resources = ResourceCheck(own, name)
    for number in resources.rounds(1):
        opened = FEWER if number else count
        with OrdinaryClient(own, name) as other:
            with Unfinished(own, opened) as crowd:
                wait_for_connections(own, resources.descriptors + opened)
                posted = len(other.posted)
                crowd.watch_until_all_are_closed(deadline, partial(send_part, crowd, head))
                assert len(other.posted) > posted
                assert {answer[:12] for answer in crowd.received} == {b"HTTP/1.1 408"}
        resources.record("closed after", max(crowd.lasted), "s")


def ask_in_the_second(when: int, server, connection, second: int):
    """Completes the handshake in second `when` and sends a request."""
    if second != when:
        return
    with context(server).wrap_socket(connection, server_hostname="localhost") as secured:
        secured.sendall(request())
        assert secured.recv(15) == b"HTTP/1.1 200 OK"


def test_a_thousand_unfinished_tls_handshakes_are_closed_in_time_while_others_are_served(start_server):
    count, deadline, name = 1000, DEADLINE, "1000 unfinished TLS handshakes"
    make_room_for(count)
    # The header timeout does not apply during the handshake.
    own = start_server("--tls", "dev", "--handshake-timeout", deadline, "--header-timeout", 1,
                       "--max-steps-per-run", 100_000, "--log-level", "warning", counted=True)
    hello = client_hello()
    resources = ResourceCheck(own, name)
    for number in resources.rounds(1):
        opened = FEWER if number else count
        with OrdinaryClient(own, name) as other:
            with Unfinished(own, opened) as crowd:
                wait_for_connections(own, resources.descriptors + opened)
                posted = len(other.posted)
                # Every second one sends nothing. The others stop at different positions of the ClientHello.
                crowd.send(lambda index: hello[:index // 2 % len(hello)] if index % 2 else b"")
                late = open_socket(own, "127.0.0.2")
                crowd.watch_until_all_are_closed(deadline, partial(ask_in_the_second, LATE, own, late))
                assert len(other.posted) > posted
                assert set(crowd.received) == {b""}
        resources.record("closed after", max(crowd.lasted), "s")


def test_unfinished_handshakes_do_not_hold_up_the_end(start_server):
    own = start_server("--tls", "dev", "--handshake-timeout", 600, "--shutdown-grace", 600)
    before = own.descriptors()
    with Unfinished(own, 100) as crowd:
        crowd.send(lambda index: client_hello()[:100] if index % 2 else b"")
        wait_until(lambda: own.descriptors() >= before + 100)
        assert own.stop() == 0, own.output
