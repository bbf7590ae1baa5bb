"""Malicious and broken clients: each gets the right response, and none affects memory use or another client."""

import contextlib
import gzip
import json
import threading
import zlib

import pytest
from Support.clients.libraries import healthy, post, receive, session, subscribe, wait_until
from Support.payloads import payload, run_id, served
from Support.servers.allocations import allocating_at_most
from Support.servers.server import Server
from Support.wire.raw import RawConnection, chunked, ingest, request
from Support.wire.raw_websocket import RawWebSocket

MEGABYTE = 1_000_000
# The largest decompressed body (NN_MONITOR_MAX_REQUEST_SIZE).
LIMIT = 2 * MEGABYTE


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """A server with a short body timeout that every test of this file attacks."""
    with Server(["--body-timeout", "2", "--header-timeout", "2", "--max-runs", "1000"], None,
                tmp_path_factory.mktemp("attacked"), counted=True) as running:
        yield running


@pytest.fixture(autouse=True)
def other_client(attacked):
    """Another client that posts, reads and subscribes during the test. None of its requests or messages may fail."""
    run, posted, failures = run_id("other"), [], []
    done = threading.Event()
    with subscribe(attacked) as socket:
        assert receive(socket)["type"] == "initial_runs"

        def work():
            with session(attacked) as client:
                while not posted or not done.wait(0.02):
                    body = payload(run, len(posted))
                    try:
                        answer = post(client, attacked, body)
                        latest = client.get(f"{attacked.url}/api/v1/runs/{run}/latest", timeout=20)
                        if (answer.status_code, latest.status_code) != (202, 200):
                            failures.append((answer.text, latest.text))
                    except Exception as error:  # noqa: BLE001 - every exception is a finding
                        failures.append(error)
                    posted.append(body)

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        yield
        done.set()
        worker.join(60)
        assert not worker.is_alive()
        assert failures == []
        for body in posted:
            assert receive(socket, "new_metrics", run)["data"] == served(body)
    healthy(attacked)


def send_all(attacked, data: bytes):
    """Sends a request that the server may answer before it has read everything."""
    with RawConnection(attacked, timeout=60) as raw:
        def send():
            with contextlib.suppress(OSError):
                raw.send(data)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answer = raw.read_response()
    sender.join(30)
    assert not sender.is_alive()
    return answer


def compressed(data: bytes, encoding: str = "gzip", **framing) -> bytes:
    return ingest(data, headers=[f"Content-Encoding: {encoding}"], **framing)


def bomb(size: int, encoding: str) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, {"gzip": 31, "deflate": 15, "raw": -15}[encoding])
    return b"".join([*(stream.compress(b"\0" * MEGABYTE) for _ in range(size // MEGABYTE)), stream.flush()])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw"])
def test_twenty_megabytes_of_zeros_are_413_and_cost_no_memory(attacked, encoding):
    data = bomb(20 * MEGABYTE, encoding)
    header = "gzip" if encoding == "gzip" else "deflate"
    for _ in range(3):
        post_bomb = send_all(attacked, compressed(data, header))
        assert post_bomb.status == 413
    with allocating_at_most(attacked, 3 * LIMIT):
        for _ in range(30):
            answer = send_all(attacked, compressed(data, header))
            assert answer.status == 413
            assert answer.json()["detail"]["error"] == "payload_too_large"


def test_many_bombs_at_once_cost_no_memory(attacked):
    data = compressed(bomb(200 * MEGABYTE, "gzip"))
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(send_all(attacked, data).status)) for _ in range(20)]
    with allocating_at_most(attacked, 20 * LIMIT):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert statuses == [413] * 20


def test_bomb_inside_a_bomb_is_not_unpacked_twice(attacked):
    answer = send_all(attacked, compressed(gzip.compress(gzip.compress(json.dumps(payload("a")).encode()))))
    assert answer.status == 422


@pytest.mark.parametrize("left", [1, 10, 0.5, 0.99])
def test_truncated_gzip_is_400(attacked, left):
    whole = gzip.compress(json.dumps(payload(run_id(), layers=20)).encode())
    part = whole[:int(len(whole) * left) if isinstance(left, float) else left]
    answer = send_all(attacked, compressed(part))
    assert answer.status == 400
    assert answer.json()["detail"]["error"] == "invalid_encoding"


@pytest.mark.parametrize("place", [0, 1, 2, 30, -8, -1], ids=["magic", "magic 2", "method", "data", "checksum",
    "length"])
def test_corrupt_gzip_is_400(attacked, place):
    data = bytearray(gzip.compress(json.dumps(payload(run_id(), layers=20)).encode()))
    data[place] ^= 0xFF
    answer = send_all(attacked, compressed(bytes(data)))
    assert answer.status == 400
    assert answer.json()["detail"]["error"] == "invalid_encoding"


def test_rubbish_behind_a_gzip_member_is_400(attacked):
    answer = send_all(attacked, compressed(gzip.compress(json.dumps(payload("a")).encode()) + b"rubbish"))
    assert answer.status == 400


@pytest.mark.parametrize("members", [2, 5])
def test_concatenated_members_are_one_body(attacked, members):
    body = payload(run_id(), 1)
    data = json.dumps(body).encode()
    step = len(data) // members + 1
    parts = [gzip.compress(data[start:start + step]) for start in range(0, len(data), step)]
    assert len(parts) == members
    assert send_all(attacked, compressed(b"".join(parts))).status == 202
    with session(attacked) as client:
        latest = client.get(f"{attacked.url}/api/v1/runs/{body['metadata']['run_id']}/latest").json()
    assert latest == served(body)


def test_thousands_of_empty_members_are_harmless(attacked):
    data = gzip.compress(b"") * 20_000 + gzip.compress(json.dumps(payload(run_id())).encode())
    assert send_all(attacked, compressed(data)).status in (202, 400, 413)


def test_body_over_the_limit_by_content_length_is_413(attacked):
    answer = send_all(attacked, ingest(b" " * 3 * MEGABYTE))
    assert answer.status == 413
    assert answer.json()["detail"]["error"] == "payload_too_large"


@pytest.mark.parametrize("size", [100, 60_000])
def test_body_over_the_limit_in_chunks_is_413(attacked, size):
    data = chunked(b" " * 3 * MEGABYTE, size)
    with allocating_at_most(attacked, 3 * LIMIT):
        answer = send_all(attacked, ingest(b"", headers=["Transfer-Encoding: chunked"]) + data)
    assert answer.status == 413
    assert answer.json()["detail"]["error"] == "payload_too_large"


def test_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(attacked):
    data = json.dumps(payload(run_id())).encode()
    assert send_all(attacked, ingest(data.ljust(2 * MEGABYTE))).status == 202
    assert send_all(attacked, ingest(data.ljust(2 * MEGABYTE + 1))).status == 413


def test_deep_nesting_is_refused_without_a_crash(attacked):
    for data in (b"[" * MEGABYTE, b'{"a":' * 200_000, b'{"metadata":' + b"[" * 65):
        assert send_all(attacked, ingest(data)).status == 422


@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_body_at_a_byte_a_second_is_408(attacked, framing):
    body = json.dumps(payload(run_id())).encode()
    head = ["Transfer-Encoding: chunked"] if framing == "chunked" else [f"Content-Length: {len(body)}"]
    done = threading.Event()
    with RawConnection(attacked) as raw:
        raw.send(ingest(b"", headers=head))

        def drip():
            for byte in chunked(body, 1) if framing == "chunked" else body:
                if done.wait(1):
                    return
                with contextlib.suppress(OSError):
                    raw.send(bytes([byte]))

        sender = threading.Thread(target=drip, daemon=True)
        sender.start()
        assert raw.read_response().status == 408
        done.set()
        sender.join(10)


def test_hundreds_of_slow_bodies_at_once_do_not_keep_others_out(attacked):
    slow = [RawConnection(attacked) for _ in range(300)]
    for connection in slow:
        connection.send(ingest(b"{", headers=["Content-Length: 1000000"]))
    healthy(attacked)
    assert {connection.read_response().status for connection in slow} == {408}
    for connection in slow:
        connection.close()


def test_plain_http_on_the_tls_port_gets_its_answer_while_others_are_served(secure_server):
    with session(secure_server) as client:
        for _ in range(20):
            with RawConnection(secure_server, tls=False) as raw:
                assert raw.ask(ingest(payload("a"))).status == 400
            assert post(client, secure_server, payload(run_id())).status_code == 202


def upload(server) -> bytes:
    token = [f"Authorization: Bearer {server.token}"] if server.token else []
    return ingest(payload(run_id(), layers=50), headers=token)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("stage", ["connected", "half a head", "a head", "half a body", "the answer not read",
                                   "pipelined, nothing read", "the answer read"])
def test_reset_at_every_stage_is_survived(attacked, secure_server, secure, stage):
    target = secure_server if secure else attacked
    data = upload(target)
    head = data.index(b"\r\n\r\n") + 4
    for _ in range(10):
        raw = RawConnection(target)
        if stage == "half a head":
            raw.send(data[:40])
        elif stage == "a head":
            raw.send(data[:head])
        elif stage == "half a body":
            raw.send(data[:(head + len(data)) // 2])
        elif stage == "the answer not read":
            raw.send(data)
        elif stage == "pipelined, nothing read":
            raw.send(data * 5 + request("/openapi.json") * 20)
        elif stage == "the answer read":
            assert raw.ask(data).status == 202
        raw.reset()
    healthy(target)


@pytest.mark.parametrize("stage", ["just open", "half a frame", "a history on its way"])
def test_reset_of_a_websocket_at_every_stage_is_survived(attacked, stage):
    run = run_id()
    with session(attacked) as client:
        for step in range(20):
            assert post(client, attacked, payload(run, step, 50)).status_code == 202
    for _ in range(10):
        socket = RawWebSocket(attacked, receive_buffer=4096)
        if stage == "half a frame":
            socket.send(b"\x81\xfe\x01")
        elif stage == "a history on its way":
            socket.say({"action": "subscribe_run", "run_id": run})
        socket.reset()
    # Only the other client's connection remains.
    wait_until(lambda: healthy(attacked)["active_connections"] == 1)


def test_client_that_never_reads_its_answers_does_not_grow_the_server(attacked):
    run = run_id()
    with session(attacked) as client:
        for step in range(40):
            assert post(client, attacked, payload(run, step, 50)).status_code == 202
    # 10 x 200 responses of more than a megabyte are 2 GB: the server must not generate them before the client reads.
    with allocating_at_most(attacked, 20 * MEGABYTE):
        greedy = [RawConnection(attacked, receive_buffer=4096, timeout=2) for _ in range(10)]
        for connection in greedy:
            with contextlib.suppress(OSError):
                connection.send(request(f"/api/v1/runs/{run}") * 200)
        healthy(attacked)
    for connection in greedy:
        connection.reset()
