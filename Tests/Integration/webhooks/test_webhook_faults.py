"""Receivers that are down, slow or broken: an attempt fails, and the next one delivers the alert."""

import contextlib
import re
import socket
import struct
from socket import SO_LINGER, SOL_SOCKET

import pytest
from Support.clients.alerts import counts, entry, post, settled, titles
from Support.clients.libraries import wait_until
from Support.servers.receiver import OK, Receiver


def test_alerts_for_a_receiver_that_is_down_arrive_once_it_is_up(start):
    with Receiver() as receiver:
        port = receiver.port
    server = start(f"json=http://127.0.0.1:{port}/", options=["--alert-retries", 1000])
    post(server, "first", "second")
    wait_until(lambda: counts(server).get("retries", 0) >= 3 or None)
    assert "cannot be reached: Connection refused" in server.wait_for_line("is not delivered yet")
    with Receiver(port=port) as receiver:
        assert titles(receiver.wait(2)) == ["first", "second"]
        wait_until(lambda: counts(server).get("delivered") == 2 or None)


def test_alerts_for_a_receiver_that_stays_down_are_counted(start):
    with Receiver() as receiver:
        port = receiver.port
    server = start(f"json=http://127.0.0.1:{port}/", options=["--alert-retries", 2])
    post(server, "first", "second")
    settled(server, failed=2, retries=4)
    assert "no attempt succeeded" in server.wait_for_line("an alert was lost")


def test_an_unknown_host(start):
    server = start("json=http://receiver.invalid/", options=["--alert-retries", 0])
    post(server, "t")
    settled(server, failed=1)
    assert "its host name is unknown" in server.wait_for_line("an alert was lost")


def test_a_receiver_that_accepts_no_connection(start):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        # Linux queues one connection more than the backlog, and drops what it cannot queue.
        for _ in range(4):
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(full.getsockname())
        server = start(f"json=http://127.0.0.1:{full.getsockname()[1]}/",
                       options=["--alert-retries", 0, "--alert-connect-timeout", 0.5])
        post(server, "t")
        settled(server, failed=1)
        assert "accepted no connection within ALERT_CONNECT_TIMEOUT" in server.wait_for_line("an alert was lost")


def test_a_receiver_that_never_answers(start):
    with Receiver(lambda _, number, connection: connection.recv(1) if number == 0 else OK) as receiver:
        server = start(entry(receiver), options=["--alert-timeout", 1, "--alert-connect-timeout", 1])
        post(server, "t")
        messages = receiver.wait(2)
        assert messages[0].delivery == messages[1].delivery
        settled(server, delivered=1, retries=1)
        assert "did not answer within ALERT_TIMEOUT" in server.wait_for_line("is not delivered yet")


def test_a_receiver_whose_answer_never_ends(start):
    def drip(_, number, connection):
        if number:
            return OK
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    with Receiver(drip) as receiver:
        server = start(entry(receiver))
        post(server, "t")
        receiver.wait(2)
        settled(server, delivered=1, retries=1)
        assert "head that is too large" in server.wait_for_line("is not delivered yet")


def test_a_long_body_after_the_answer_is_not_read(start):
    def flood(_, __, connection):
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            for _ in range(10_000):
                connection.sendall(bytes(100_000))
            ends.append("whole")
        except OSError:
            ends.append("closed")

    ends = []
    with Receiver(flood) as receiver:
        server = start(entry(receiver))
        post(server, "t")
        settled(server, delivered=1)
        wait_until(lambda: ends or None)
        assert ends == ["closed"]


def reset(connection):
    connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(("ending", "reason"), [
    (lambda connection: None, "closed the connection without an answer"),
    (reset, "cannot be reached: Connection reset by peer"),
    (lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-"), "not HTTP/1.1|without an answer"),
    (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "not HTTP/1.1")])
def test_a_receiver_that_closes_in_the_middle(start, ending, reason):
    with Receiver(lambda _, number, connection: OK if number else ending(connection)) as receiver:
        server = start(entry(receiver))
        post(server, "t")
        messages = receiver.wait(2)
        assert messages[0].delivery == messages[1].delivery
        settled(server, delivered=1, retries=1)
        assert re.search(reason, server.wait_for_line("is not delivered yet"))
