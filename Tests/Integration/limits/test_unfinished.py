"""Thousands of connections that never finish what they begin."""

from support.bystander import Bystander
from support.clients import context, wait_until
from support.crowd import Unfinished, client_hello, open_socket, make_room_for
from support.raw import request
from support.vitals import Vitals


def test_two_thousand_heads_at_a_byte_a_second_are_closed_in_time_while_others_are_served(start_server):
    count, deadline, name = 2000, 5, "2000 slow heads"
    make_room_for(count)
    own = start_server("--header-timeout", deadline, "--max-steps-per-run", 100_000, "--log-level", "warning")
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 100
    with Vitals(own, name) as vitals:
        with Bystander(own, name) as other:
            with Unfinished(own, count) as crowd:
                wait_until(lambda: own.descriptors() >= vitals.descriptors + count, why="not all were accepted")
                posted = len(other.posted)
                crowd.watch_until_all_are_closed(deadline, lambda second: crowd.send(lambda _: head[second:second + 1]))
                assert len(other.posted) > posted
                assert {answer[:12] for answer in crowd.received} == {b"HTTP/1.1 408"}
        vitals.record("closed after", max(crowd.lasted), "s")


def asked_over_tls(server, connection):
    """Finishes a connection's handshake now, and asks."""
    with context(server).wrap_socket(connection, server_hostname="localhost") as secured:
        secured.sendall(request())
        assert secured.recv(15) == b"HTTP/1.1 200 OK"


def test_a_thousand_unfinished_tls_handshakes_are_closed_in_time_while_others_are_served(start_server):
    count, deadline, name = 1000, 5, "1000 unfinished TLS handshakes"
    make_room_for(count)
    # The time for a head is no part of the time for the handshake.
    own = start_server("--tls", "dev", "--handshake-timeout", deadline, "--header-timeout", 1,
                       "--max-steps-per-run", 100_000, "--log-level", "warning")
    hello = client_hello()
    with Vitals(own, name) as vitals:
        with Bystander(own, name) as other:
            with Unfinished(own, count) as crowd:
                wait_until(lambda: own.descriptors() >= vitals.descriptors + count, why="not all were accepted")
                posted = len(other.posted)
                # Every second one sends nothing; the others stop at every place in the ClientHello.
                crowd.send(lambda index: hello[:index // 2 % len(hello)] if index % 2 else b"")
                late = open_socket(own, "127.0.0.2")
                crowd.watch_until_all_are_closed(deadline, lambda second: second == 3 and asked_over_tls(own, late))
                assert len(other.posted) > posted
                assert set(crowd.received) == {b""}
        vitals.record("closed after", max(crowd.lasted), "s")


def test_unfinished_handshakes_do_not_hold_up_the_end(start_server):
    own = start_server("--tls", "dev", "--handshake-timeout", 600, "--shutdown-grace", 600)
    before = own.descriptors()
    with Unfinished(own, 100) as crowd:
        crowd.send(lambda index: client_hello()[:100] if index % 2 else b"")
        wait_until(lambda: own.descriptors() >= before + 100)
        assert own.stop() == 0, own.output
