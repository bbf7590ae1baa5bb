"""Thousands of connections that never finish what they begin."""

from support.bystander import Bystander
from support.clients import wait_until
from support.crowd import Unfinished, client_hello, room_for_descriptors
from support.vitals import Vitals

# Over a deadline by this much a connection may be found open: the machine is busy, and the client looks in turns.
LATE = 10


def watch_until_all_are_closed(crowd: Unfinished, deadline: float, every_second=None):
    """Lets time pass until the server has closed all of them; each must have lasted for its deadline, not longer."""
    rounds = 0
    while len(crowd) and rounds < deadline + LATE:
        if every_second:
            every_second(rounds)
        crowd.watch(1)
        rounds += 1
    assert len(crowd) == 0, f"{len(crowd)} connections are still open"
    assert min(crowd.lasted) >= deadline
    assert max(crowd.lasted) <= deadline + LATE


def test_two_thousand_heads_at_a_byte_a_second_are_closed_in_time_while_others_are_served(start_server):
    count, deadline, name = 2000, 5, "2000 slow heads"
    assert room_for_descriptors() >= count
    own = start_server("--header-timeout", deadline, "--max-steps-per-run", 100_000, "--log-level", "warning")
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 100
    with Vitals(own, name) as vitals:
        with Bystander(own, name) as other:
            with Unfinished(own, count) as crowd:
                wait_until(lambda: own.descriptors() >= vitals.descriptors + count, why="not all were accepted")
                posted = len(other.posted)
                watch_until_all_are_closed(crowd, deadline, lambda second: crowd.send(lambda _: head[second:second + 1]))
                assert len(other.posted) > posted
                assert {answer[:12] for answer in crowd.received} == {b"HTTP/1.1 408"}
        vitals.record("closed after", max(crowd.lasted), "s")


def test_a_thousand_unfinished_tls_handshakes_are_closed_in_time_while_others_are_served(start_server):
    count, deadline, name = 1000, 5, "1000 unfinished TLS handshakes"
    assert room_for_descriptors() >= count
    own = start_server("--tls", "dev", "--handshake-timeout", deadline, "--max-steps-per-run", 100_000,
                       "--log-level", "warning")
    hello = client_hello()
    with Vitals(own, name) as vitals:
        with Bystander(own, name) as other:
            with Unfinished(own, count) as crowd:
                wait_until(lambda: own.descriptors() >= vitals.descriptors + count, why="not all were accepted")
                posted = len(other.posted)
                # Every second one sends nothing; the others stop at every place in the ClientHello.
                crowd.send(lambda index: hello[:index // 2 % len(hello)] if index % 2 else b"")
                watch_until_all_are_closed(crowd, deadline)
                assert len(other.posted) > posted
                assert set(crowd.received) == {b""}
        vitals.record("closed after", max(crowd.lasted), "s")
