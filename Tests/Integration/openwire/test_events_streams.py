"""Server-Sent Events over time: flushing, slow and lost clients, limits, access, and the end of the server."""

import json
import random
import shutil
import signal
import subprocess

import pytest
from Support.clients.access import TOKENS, bearer, call, digest, log_in, tokens_file
from Support.clients.events import PATH, EventStream
from Support.clients.libraries import session, wait_until
from Support.clients.openwire import accept_lines, accept_steps, read_steps
from Support.clients.runs import path, put, send
from Support.load.threads import Threads
from Support.payloads import run_id
from Support.servers import processes
from Support.wire.raw import RawConnection, request

LAYERS = [f"l{index}" for index in range(200)]


def large(number: int, rng: random.Random) -> dict:
    """A step of about four kilobytes that hardly compresses."""
    return {"step": number, "time": 1, "layers": LAYERS, "metrics": {"m": [rng.random() for _ in LAYERS]}}


def subscribers(server) -> int:
    return session().get(f"{server.url}/health", verify=server.ca or True).json()["active_connections"]


class Ledger:
    """The steps of a run that a client holds. Requires that none comes twice and none is left out."""

    def __init__(self):
        self.seq = 0
        self.received: set[int] = set()
        self.held: dict[int, dict] = {}
        self.lagged = 0

    def take(self, event, is_live: bool):
        message = event.message
        if message["type"] == "lagged":
            self.lagged += 1
        if message["type"] != "step":
            assert message["type"] != "reset"
            return
        seq = message["seq"]
        assert seq not in self.received and seq > self.seq, "in order, and nothing twice"
        assert not is_live or seq == self.seq + 1, "nothing is left out"
        assert event.id == str(seq)
        self.seq = seq
        self.received.add(seq)
        self.held[message["data"]["step"]] = message["data"]

    def must_be_complete(self, server, run: str, count: int):
        """The client holds what the server keeps, and missed only versions that were replaced."""
        kept = {step["step"]: step for step in read_steps(server, run)}
        assert self.seq == count and self.held == kept
        assert not (set(range(1, count + 1)) - self.received) & {step["seq"] for step in kept.values()}


# Flushing

@pytest.mark.parametrize("gzip", [False, True])
def test_each_event_arrives_before_the_next_one_is_posted(either, gzip):
    run = run_id("flushed")
    put(either, run, {}, 201)
    with EventStream(either, run=run, form="columns", gzip=gzip) as stream:
        for number in range(50):
            # Short and long ones, which zlib would hold back.
            accept_steps(either, run, {"step": number, "scalars": {"x" * (number * 40 + 1): number}})
            assert stream.steps(1) == [(number + 1, number)]


def test_the_events_are_compressed_once_for_all_clients(start_server):
    server = start_server()
    put(server, "r", {}, 201)
    streams = [EventStream(server, run="r", form="columns", gzip=True) for _ in range(20)]
    # Different numbers of events before: each stream has its own checksum at the end.
    late = EventStream(server, run="r", form="columns", gzip=True, since_seq=0)
    rng = random.Random(1)
    for number in range(20):
        accept_steps(server, "r", large(number, rng))
    early = EventStream(server, run="r", form="columns", gzip=True, since_seq=5)
    pieces = []
    for stream in (*streams, late, early):
        assert len(stream.steps(15)) == 15
        pieces.append(stream)
    server.signal(signal.SIGTERM)
    for stream in pieces:
        stream.rest()
        assert stream.is_complete


def test_curl_shows_live_steps(server):
    run = run_id("curl")
    put(server, run, {}, 201)
    url = f"{server.url}{PATH}?run={run}&form=columns"
    for options in ([], ["--compressed"], ["--http1.0"]):
        curl = processes.start(["curl", "-sN", *options, url], stdout=subprocess.PIPE, text=True)
        try:
            assert curl.stdout.readline().startswith("id: ")
            assert curl.stdout.readline() == "\n"
            for number in range(3):
                seq = accept_steps(server, run, {"step": number})["seq"]
                assert curl.stdout.readline() == f"id: {seq}\n"
                line = curl.stdout.readline()
                assert json.loads(line.removeprefix("data: "))["data"]["step"] == number
                assert curl.stdout.readline() == "\n"
        finally:
            curl.kill()
            curl.wait()
            curl.stdout.close()


# Lost clients

def test_a_client_that_is_cut_50_times_ends_with_the_state_of_the_server(start_server):
    server = start_server("--max-steps-per-run", 20_000)
    rng = random.Random(16)
    run, count, cuts = "cut", 4000, 50
    put(server, run, {}, 201)
    steps, numbers = [], []
    for index in range(count):
        numbers.append(rng.choice(numbers[-300:]) if numbers and rng.random() < 0.1 else index + rng.randrange(20))
        steps.append({"step": numbers[-1], "time": index + 1, "scalars": {"index": index}})
    portion = -(-count // (cuts + 1))

    def write(turn: int):
        rest = steps[turn * portion:(turn + 1) * portion]
        order = random.Random(turn)
        while rest:
            size = 1 if order.random() < 0.4 else order.randrange(2, 40)
            accept_lines(server, run, rest[:size])
            rest = rest[size:]

    ledger = Ledger()
    last_id = None
    for turn in range(cuts + 1):
        posted = min((turn + 1) * portion, count)
        stream = EventStream(server, last_id, run=run, form="columns", gzip=rng.random() < 0.5,
                             **({"since_seq": 0} if rng.random() < 0.5 else {}))
        writer = Threads()
        writer.start(write, turn)
        until = count if turn == cuts else rng.randint(ledger.seq, posted)
        # A step in a history may have replaced others; what comes after the history is complete.
        while ledger.seq < until:
            ledger.take(stream.next(), is_live=False)
        last_id = stream.last_id
        stream.reset()
        writer.join()
    ledger.must_be_complete(server, run, count)
    assert len(ledger.received) > len(ledger.held), "most steps came live"


def test_a_client_that_leaves_makes_room(start_server):
    server = start_server("--max-subscribers", 2)
    put(server, "r", {}, 201)
    first, second = EventStream(server), EventStream(server, run="r")
    with EventStream(server) as third:
        assert third.answer.status == 503 and third.answer["retry-after"] == "10"
        assert third.answer.json()["detail"]["error"] == "too_many_subscribers"
    assert subscribers(server) == 2
    # One closes, as a program that ends; the other resets.
    first.close()
    wait_until(lambda: subscribers(server) == 1)
    second.reset()
    wait_until(lambda: subscribers(server) == 0)
    with EventStream(server) as stream:
        assert stream.answer.status == 200


def test_a_client_that_only_closes_its_sending_side_still_gets_events(server):
    run = run_id("half")
    put(server, run, {}, 201)
    with EventStream(server, run=run, form="columns") as stream:
        stream.socket.shutdown(1)
        accept_steps(server, run, {"step": 1})
        assert stream.steps(1) == [(1, 1)] and stream.comments <= 1


def test_comments_keep_an_idle_stream_alive(start_server):
    server = start_server("--ws-ping-interval", 0.2)
    for gzip in (False, True):
        with EventStream(server, gzip=gzip) as stream:
            for _ in range(3):
                assert stream.block() == [":"]


# Slow clients

def test_an_idle_stream_outlives_every_timeout_of_slow_readers(start_server):
    server = start_server(
        "--ws-ping-interval", 0.3, "--subscriber-stall-timeout", 0.5, "--write-timeout", 0.5, "--read-rate-window", 0.5,
        "--idle-timeout", 0.5, "--header-timeout", 0.5, "--body-timeout", 0.5)
    put(server, "r", {}, 201)
    with EventStream(server, run="r", form="columns") as stream:
        assert stream.block() == ["id: 0"]
        for _ in range(8):
            assert stream.block() == [":"]
        accept_steps(server, "r", {"step": 1})
        assert stream.steps(1) == [(1, 1)]


@pytest.mark.parametrize("options", [
    pytest.param(["--subscriber-stall-timeout", 0.5, "--min-read-rate", 0], id="reads nothing"),
    pytest.param(["--read-rate-window", 0.5, "--min-read-rate", 1_000_000_000], id="reads too slowly")])
def test_a_client_that_does_not_read_is_dropped(start_server, options):
    server = start_server(*options)
    rng = random.Random(2)
    with EventStream(server, form="columns", receive_buffer=4096) as stream, EventStream(server, form="runs") as idle:
        number = 0
        while subscribers(server) == 2:
            accept_lines(server, "r", [large(number + index, rng) for index in range(100)])
            number += 100
            assert number < 100_000
        assert idle.next().message["type"] == "run"
        stream.socket.settimeout(60)
        with pytest.raises((ConnectionError, AssertionError)):
            stream.rest()


@pytest.mark.parametrize("gzip", [False, True])
def test_a_slow_client_gets_what_it_missed_and_delays_nobody(start_server, gzip):
    server = start_server("--max-steps-per-run", 10_000, "--subscriber-queue", 20, "--subscriber-stall-timeout", 600,
                          "--ws-ping-interval", 600)
    rng = random.Random(6)
    count = 2000
    put(server, "slow", {}, 201)
    ledger, quick = Ledger(), Ledger()
    with EventStream(server, run="slow", form="columns", gzip=gzip, receive_buffer=65536, timeout=60) as slow:
        for first in range(0, count, 10):
            if first == 0:
                fast = EventStream(server, run="slow", form="columns", timeout=60)
            accept_lines(server, "slow", [large(number, rng) for number in range(first, first + 10)])
            while quick.seq < first + 10:
                quick.take(fast.next(), is_live=True)
        # The slow client gets what was sent, the gap, what it missed, and then every step.
        while ledger.seq < count:
            ledger.take(slow.next(), is_live=ledger.lagged == 0 or ledger.seq > count)
        assert ledger.lagged > 0 and quick.lagged == 0
        for number in range(count, count + 30):
            accept_steps(server, "slow", {"step": number})
            ledger.take(slow.until("step"), is_live=True)
        fast.close()
    ledger.must_be_complete(server, "slow", count + 30)


def test_messages_of_all_runs_that_a_slow_client_missed_are_counted(start_server):
    server = start_server("--subscriber-queue", 20, "--subscriber-stall-timeout", 600, "--ws-ping-interval", 600)
    rng = random.Random(7)
    count = 2000
    with EventStream(server, form="columns", receive_buffer=65536, timeout=60) as stream:
        for first in range(0, count, 100):
            accept_lines(server, "r", [large(number, rng) for number in range(first, first + 100)])
        seen, skipped, last = 0, 0, 0
        while last < count:
            message = stream.until("step", "lagged").message
            if message["type"] == "lagged":
                skipped += message["skipped"]
            else:
                assert message["seq"] > last
                last = message["seq"]
                seen += 1
        assert skipped > 0 and seen + skipped == count


# Memory

def test_missed_steps_need_memory_that_is_reserved_and_given_back(start_server):
    server = start_server("--max-memory", "64000000", "--max-read-memory", "1000000", "--subscriber-stall-timeout", 600)
    rng = random.Random(8)
    accept_lines(server, "r", [large(number, rng) for number in range(1000)])
    # One after the other they all fit, though their streams stay open.
    streams = [EventStream(server, 0, run="r", form="columns", gzip=True) for _ in range(1)]
    for _ in range(20):
        stream = streams[-1]
        assert stream.answer.status == 200
        assert len(stream.steps(1000)) == 1000
        accept_steps(server, "r", {"step": 2000})
        stream.until("step")
        streams.append(EventStream(server, 0, run="r", form="columns", gzip=True))
    for stream in streams:
        stream.close()


# Access

@pytest.fixture
def own(start_server, tmp_path):
    """A server with all tokens of the file. A test may change the file."""
    return start_server("--auth-tokens-file", tokens_file(tmp_path), "--auth-failure-limit", 1_000_000)


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("way", ["bearer", "cookie"])
def test_a_stream_ends_with_the_access_of_its_client(own, tmp_path, way, gzip):
    assert call(own, "PUT", path("r"), "both", json={}).status_code == 201
    if way == "bearer":
        headers = [f"Authorization: Bearer {TOKENS['viewer']}"]
    else:
        pair, _ = log_in(own, "viewer")
        headers = [f"Cookie: {pair}"]
    other = EventStream(own, run="r", form="columns", headers=[f"Authorization: Bearer {TOKENS['both']}"])
    with EventStream(own, run="r", form="columns", headers=headers, gzip=gzip) as stream, other:
        assert stream.block() == ["id: 0"]
        (tmp_path / "tokens").write_text(f"both:ingest,read:{digest(TOKENS['both'])}\n")
        own.signal(signal.SIGHUP)
        own.wait_for_line("what=tokens")
        # Nothing more comes, and the end is not a proper one.
        assert stream.gone()
        assert call(own, "POST", path("r") + "/steps", "both", json={"step": 1}).status_code == 202
        assert other.steps(1) == [(1, 1)]
        assert call(own, "GET", PATH, headers=bearer("viewer")).status_code == 401


def test_logout_ends_the_streams_of_its_session_alone(own):
    pair, _ = log_in(own, "both")
    kept, _ = log_in(own, "both")
    with EventStream(own, headers=[f"Cookie: {pair}"]) as ended, EventStream(own, headers=[f"Cookie: {kept}"]) as stays:
        assert call(own, "POST", "/logout", headers={"Cookie": pair, "Origin": own.url}).status_code == 303
        assert ended.gone()
        assert call(own, "PUT", path("r"), "both", json={}).status_code == 201
        assert stays.next().message["type"] == "run"


# The end of the server

@pytest.mark.parametrize("gzip", [False, True])
def test_a_stopping_server_sends_what_is_queued_and_ends_the_stream(start_server, gzip):
    server = start_server()
    rng = random.Random(9)
    put(server, "r", {}, 201)
    streams = [EventStream(server, run="r", form="columns", gzip=gzip, receive_buffer=receive_buffer)
               for receive_buffer in (None, 65536)]
    idle = EventStream(server, form="runs", gzip=gzip)
    accept_lines(server, "r", [large(number, rng) for number in range(200)])
    server.signal(signal.SIGTERM)
    for stream in streams:
        assert [event.message["seq"] for event in stream.rest() if event.message["type"] == "step"] == [
            *range(1, 201)]
        assert stream.is_complete
    idle.rest()
    assert idle.is_complete
    server.process.wait(30)


def test_a_step_that_is_answered_while_the_server_stops_is_still_sent(start_server):
    server = start_server()
    put(server, "r", {}, 201)
    body = json.dumps({"step": 5}).encode()
    with EventStream(server, run="r", form="columns") as stream, RawConnection(server) as trainer:
        trainer.send(request(path("r") + "/steps", "POST", ["Content-Type: application/json",
                                                            f"Content-Length: {len(body)}", "Expect: 100-continue"]))
        assert trainer.read_head().status == 100
        server.signal(signal.SIGTERM)
        server.wait_for_line("stopping")
        assert trainer.ask(body).status == 202
        assert stream.steps(1) == [(1, 5)]
        assert stream.rest() == [] and stream.is_complete


# Behind a proxy

NGINX = """
daemon off; error_log stderr; pid {folder}/pid; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {url}; proxy_set_header Host $http_host; {more} }}
  }}
}}
"""


class Proxy:
    """An address to connect to, as `EventStream` takes it."""

    secure, token, ca = False, None, None

    def __init__(self, port: int):
        self.port = port


@pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin"), reason="needs nginx")
@pytest.mark.parametrize("more", [
    pytest.param("proxy_http_version 1.1;", id="buffering on"), pytest.param("", id="HTTP 1.0 to the server"),
    pytest.param("proxy_http_version 1.1; gzip on; gzip_types text/event-stream;", id="gzip by nginx")])
def test_nginx_passes_each_event_on_at_once(server, tmp_path, more):
    import socket
    run = run_id("nginx")
    put(server, run, {}, 201)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, url=server.url, more=more))
    nginx = processes.start([shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin"), "-p", str(tmp_path), "-c",
                             str(tmp_path / "nginx.conf")])
    try:
        def is_listening() -> bool:
            with socket.socket() as attempt:
                return attempt.connect_ex(("127.0.0.1", port)) == 0
        wait_until(is_listening)
        with EventStream(Proxy(port), run=run, form="columns") as stream:
            for number in range(5):
                accept_steps(server, run, {"step": number})
                assert stream.steps(1) == [(number + 1, number)]
            last_id = stream.last_id
        accept_steps(server, run, {"step": 9})
        with EventStream(Proxy(port), last_id, run=run, form="columns") as stream:
            assert stream.steps(1) == [(6, 9)]
        assert send(server, "GET", "/health").status_code == 200
    finally:
        nginx.terminate()
        nginx.wait()
