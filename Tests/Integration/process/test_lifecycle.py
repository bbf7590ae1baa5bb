"""Start, shutdown, and the output about them."""

import json
import re
import signal
import socket
import subprocess
import threading

import pytest
import requests
from Support.clients.libraries import healthy, post, receive, session, subscribe, wait_until
from Support.load.threads import Threads, Watchers
from Support.payloads import payload, run_id
from Support.servers import processes
from Support.servers.server import ROOT, binary, clean_environment
from Support.wire.raw import RawConnection, ingest, request

STATIC = ["--static-dir", str(ROOT / "static")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_no_accepted_step_is_lost_when_the_server_is_told_to_stop_under_load(start_server, number):
    own = start_server("--subscriber-queue", 100000, "--max-runs", 100)
    watchers = Watchers(own, 3)
    accepted, signalled = [], threading.Event()
    threads = Threads()

    def work(run):
        step = 0
        with session(own) as client:
            while True:
                try:
                    answer = post(client, own, payload(run, step))
                except requests.ConnectionError:
                    assert signalled.is_set(), "a connection failed before the signal"
                    return
                assert answer.status_code == 202, answer.text
                accepted.append((run, step))
                step += 1

    for _ in range(6):
        threads.start(work, run_id("stopped"))
    wait_until(lambda: len(accepted) > 200, 60)
    signalled.set()
    own.signal(number)
    # The grace period is 10 seconds. Wait here, because Server.stop would tolerate more.
    assert own.process.wait(30) == 0, own.output
    threads.join()
    watchers.join()
    assert len(accepted) > 200
    for index in range(3):
        assert watchers.closed[index] == 1001
        got = [(message["run_id"], message["data"]["step"]) for message in watchers.messages(index)]
        assert len(got) == len(set(got))
        assert set(accepted) <= set(got)
    assert "Fatal error" not in own.output


def begin(connection: RawConnection) -> bytes:
    """Sends a request without its end and returns the missing bytes.

    The 100 Continue proves that the server has started to process the request. A response on another connection would
    not prove it, because that connection may use another event loop.
    """
    body = json.dumps(payload(run_id())).encode()
    connection.send(ingest(b"", headers=["Expect: 100-continue", f"Content-Length: {len(body)}"]))
    assert connection.read_response().status == 100
    connection.send(body[:-10])
    return body[-10:]


def test_request_that_has_begun_is_finished_before_the_end(start_server):
    own = start_server()
    with RawConnection(own) as busy, RawConnection(own) as idle:
        assert idle.ask(request()).status == 200
        rest = begin(busy)
        own.signal(signal.SIGTERM)
        assert idle.gone()
        busy.send(rest)
        answer = busy.read_response()
        assert answer.status == 202
        # Each event loop learns of the end by itself: this one may have answered before, and then closes.
        assert answer["connection"].lower() == "close" or busy.gone()
        assert busy.ended()
    assert own.stop() == 0


def test_new_connections_are_refused_while_the_server_stops(start_server):
    own = start_server()
    with RawConnection(own) as busy:
        rest = begin(busy)
        own.signal(signal.SIGTERM)

        def refused():
            try:
                with RawConnection(own) as late:
                    return late.gone()
            except ConnectionError:
                return True

        wait_until(refused)
        busy.send(rest)
        assert busy.read_response().status == 202
    assert own.stop() == 0


def test_clients_that_never_end_do_not_hold_up_the_end(start_server):
    own = start_server("--shutdown-grace", 1)
    with RawConnection(own) as half, RawConnection(own) as head, subscribe(own) as subscriber:
        assert receive(subscriber)["type"] == "initial_runs"
        half.send(ingest(b"{", headers=["Content-Length: 1000"]))
        head.send(b"GET /health HTTP/1.1\r\nHost: a\r\n")
        healthy(own)
        own.signal(signal.SIGTERM)
        # Without the grace period, only the body timeout of one minute would end it.
        assert own.process.wait(30) == 0
        assert half.gone() or half.read_response().status in (408, 503)
    assert own.stop() == 0


def test_second_signal_does_no_harm(start_server):
    own = start_server("--shutdown-grace", 1)
    with RawConnection(own) as half:
        half.send(ingest(b"{", headers=["Content-Length: 1000"]))
        healthy(own)
        own.signal(signal.SIGTERM)
        own.signal(signal.SIGTERM)
        assert own.process.wait(30) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def test_hangup_without_files_does_not_end_the_server(start_server):
    own = start_server()
    own.signal(signal.SIGHUP)
    for _ in range(20):
        healthy(own)


def test_banner_shows_address_tls_and_limits(start_server):
    own = start_server("--max-runs", 37, "--max-steps-per-run", 4321)
    healthy(own)
    assert own.stop() == 0
    assert f"http://127.0.0.1:{own.port}" in own.output
    assert re.search(r"tls\W.*\boff\b|\boff\b.*tls|plain http|without tls", own.output, re.IGNORECASE)
    for limit in ("37", "4321"):
        assert re.search(rf"\b{limit}\b", own.output)


def test_banner_of_a_secure_server_shows_https(start_server):
    own = start_server("--tls", "dev")
    healthy(own)
    assert re.search(rf"https://[\w.-]+:{own.port}", own.output)
    assert re.search(r"sha-?256|fingerprint", own.output, re.IGNORECASE)


def test_address_is_printed_only_once_it_accepts_connections(start_server):
    for _ in range(3):
        with RawConnection(start_server()) as connection:
            assert connection.ask(request()).status == 200


def test_second_server_on_the_same_port_ends_with_a_line_that_names_it(server, tmp_path):
    ended = processes.run(
        [binary(), "--port", str(server.port), *STATIC], cwd=tmp_path, env=clean_environment(None), timeout=60,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode > 0
    lines = [line for line in ended.stdout.splitlines() if str(server.port) in line]
    assert any("use" in line for line in lines), ended.stdout
    assert "Fatal error" not in ended.stdout
    healthy(server)


def test_address_that_is_not_of_this_machine_ends_the_start_with_a_line_that_names_it(tmp_path):
    ended = processes.run(
        [binary(), "--host", "192.0.2.77", "--port", "0", *STATIC], cwd=tmp_path, env=clean_environment(None),
        timeout=60,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode > 0
    assert "192.0.2.77" in ended.stdout
    assert "Fatal error" not in ended.stdout


def test_port_is_free_again_at_once(start_server):
    first = start_server()
    with session(first) as client:
        assert client.get(first.url + "/health").status_code == 200
        assert first.stop() == 0
    second = start_server("--port", first.port)
    assert second.port == first.port
    healthy(second)


def test_ipv6_loopback_is_served(tmp_path):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError:
        pytest.skip("no IPv6 loopback here")
    process = processes.start(
        [binary(), "--host", "::1", "--port", str(port), *STATIC], cwd=tmp_path, env=clean_environment(None),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def answered():
            assert process.poll() is None, "the server ended"
            try:
                return requests.get(f"http://[::1]:{port}/health", timeout=5).status_code == 200
            except requests.ConnectionError:
                return False

        wait_until(answered, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
