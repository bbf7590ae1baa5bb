"""Clients that read slowly or send unexpected data: responses are complete, and memory use is bounded."""

import os
import threading

import pytest
from Support.clients.libraries import healthy
from Support.payloads import payload
from Support.servers.allocations import allocating_at_most
from Support.servers.server import Server
from Support.wire.raw import RawConnection, ingest, request

SIZE = 8_000_000
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The static files, and a file that is larger than the kernel's socket buffers."""
    folder = tmp_path_factory.mktemp("slow") / "static"
    folder.mkdir()
    for name in ("index.html", "login.html", "docs.html"):
        (folder / name).write_text("<!doctype html><title>x</title>")
    (folder / "long.bin").write_bytes(os.urandom(SIZE))
    return folder


@pytest.fixture(params=["plain", "tls"])
def patient(request, site, tmp_path):
    """A server for one test, over plain HTTP and over TLS."""
    options = ["--tls", "dev"] if request.param == "tls" else []
    with Server([*options, "--static-dir", site, "--write-timeout", "1", "--idle-timeout", "2"], None, tmp_path,
                counted=True) as running:
        yield running


def take_until_logged(server, raw: RawConnection) -> bytes:
    """Reads a response slowly until the server's log shows that it has been written completely."""
    taken = b""
    while not any("long.bin" in line for line in server.lines):
        taken += raw.socket.recv(16_384)
    return taken


def rest(raw: RawConnection) -> bytes:
    taken = b""
    while part := raw.socket.recv(65_536):
        taken += part
    return taken


def body(answer: bytes) -> bytes:
    return answer.split(b"\r\n\r\n", 1)[1]


def test_answer_that_is_under_way_is_finished_when_the_server_stops(patient, site):
    with RawConnection(patient, receive_buffer=4096) as raw:
        raw.send(request("/static/long.bin"))
        taken = take_until_logged(patient, raw)
        assert len(taken) < SIZE
        patient.signal(15)
        assert body(taken + rest(raw)) == (site / "long.bin").read_bytes()
    assert patient.stop() == 0


def test_client_that_has_closed_its_side_gets_a_long_answer_whole(server, site, tmp_path):
    with Server(["--static-dir", site], None, tmp_path) as running, RawConnection(running, receive_buffer=4096) as raw:
        raw.send(request("/static/long.bin"))
        raw.socket.shutdown(1)
        assert body(take_until_logged(running, raw) + rest(raw)) == (site / "long.bin").read_bytes()


def test_client_that_takes_its_answer_slowly_but_steadily_is_not_dropped(patient, site):
    """The write timeout of one second applies to clients that read nothing. This client is slow but always reads."""
    taken, pause = b"", threading.Event()
    with RawConnection(patient, receive_buffer=65_536) as raw:
        raw.send(request("/static/long.bin"))
        for share in range(1, 17):
            while len(taken) < share * SIZE // 16:
                part = raw.socket.recv(16_384)
                assert part, f"dropped after {len(taken)} bytes"
                taken += part
            pause.wait(0.2)
        while len(body(taken)) < SIZE:
            taken += raw.socket.recv(65_536)
    assert body(taken) == (site / "long.bin").read_bytes()


def test_request_behind_a_long_answer_of_a_handler_gets_its_own(either):
    """The listing is larger than one write. Regression: the next response was sent to the request after next."""
    token = [f"Authorization: Bearer {either.token}"] if either.token else []
    with RawConnection(either) as raw:
        for index in range(1500):
            assert raw.ask(ingest(payload("x" * 200 + str(index)), token)).status == 202
        names = [f"not-there-{index}" for index in range(10)]
        raw.send(b"".join(request("/api/v1/runs", headers=token) + request(f"/api/v1/runs/{name}", headers=token)
                          for name in names))
        for name in names:
            listing = raw.read_response()
            assert listing.status == 200 and len(listing.body) > 256 * 1024
            assert raw.read_response().json()["detail"]["message"] == f"Run '{name}' not found"


# Bytes after the request


def test_megabytes_behind_an_upgrade_that_is_not_granted_are_not_kept(patient):
    connections = [RawConnection(patient) for _ in range(4)]
    with allocating_at_most(patient, 4 * MEGABYTE):
        for raw in connections:
            assert raw.ask(request(headers=["Upgrade: h2c", "Connection: Upgrade"])).status == 200
            for _ in range(20):
                raw.send(bytes(MEGABYTE))
    for raw in connections:
        raw.close()
    healthy(patient)


@pytest.mark.parametrize("begun", [
    "GET /health HTTP/1.1\r\nHost: localhost\r\nX:",
    "POST /logout HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX:"], ids=["head", "trailer"])
def test_white_space_without_end_before_a_value_is_431_and_not_kept(patient, begun):
    with allocating_at_most(patient, 2 * MEGABYTE), RawConnection(patient) as raw:
        raw.send(begun)
        for _ in range(60):
            raw.send(b" " * MEGABYTE)
        assert raw.read_response().status == 431
        assert raw.ended()


def test_requests_that_wait_for_an_answer_are_kept_as_the_bytes_they_are(patient):
    """Thousands of minimal requests behind an unread response, while the server reads in large pieces."""
    connections = [RawConnection(patient, receive_buffer=4096) for _ in range(50)]
    shortest = b"GET / HTTP/1.1\r\nHost:\r\n\r\n"
    for raw in connections:
        assert raw.ask(request("/logout", "POST", body=bytes(MEGABYTE))).status == 303
    with allocating_at_most(patient, 40 * MEGABYTE):
        for raw in connections:
            raw.send(request("/static/long.bin") + shortest * 10_000)
        # When these are answered, every event loop of the server has read the data.
        for _ in range(2 * os.cpu_count()):
            healthy(patient)
    for raw in connections:
        raw.reset()
    healthy(patient)
