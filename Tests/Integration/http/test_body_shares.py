"""How the memory for bodies is shared: a client's unfinished bodies block neither other clients nor its small
bodies."""

import contextlib
import gzip
import select
import time
from pathlib import Path

import pytest
from Support.clients.access import TOKENS, tokens_file
from Support.clients.libraries import wait_until
from Support.payloads import payload, run_id
from Support.wire.raw import INGEST, RawConnection, chunked, ingest, request

LARGE = 1_900_000
POSTS = 30


def padded(size: int) -> bytes:
    """A JSON text of `size` bytes that is not a valid payload."""
    return b'{"pad":"' + b"x" * (size - 10) + b'"}'


def large(coding: str) -> tuple[list[str], bytes]:
    """The headers of a large body in a content or transfer coding, and the body without its end."""
    body, headers = padded(LARGE), []
    if "gzip" in coding:
        body, headers = gzip.compress(body), ["Content-Encoding: gzip"]
    if "chunked" in coding:
        return [*headers, "Transfer-Encoding: chunked"], chunked(body)[:-7]
    return [*headers, f"Content-Length: {len(body)}"], body[:-4]


class Crowd:
    """Connections of one client that hold unfinished bodies."""

    def __init__(self, server, token: str | None, source: str):
        self.server, self.source = server, source
        self.headers = [f"Authorization: Bearer {TOKENS[token]}"] if token else []
        self.held: list[RawConnection] = []
        self.refused: list[int] = []

    def hold(self, count: int, headers: list[str], body: bytes):
        for _ in range(count):
            raw = RawConnection(self.server, timeout=60, source=self.source)
            raw.send(request(INGEST, "POST", [*self.headers, "Content-Type: application/json", *headers]) + body)
            self.held.append(raw)
        # Wait until the server has read everything and answered the bodies that it refuses.
        wait_until(lambda: unread(self.server.port) == 0)
        self.ask("small").close()
        self.collect()

    def fill(self, coding: str = "plain"):
        """Uses all memory that this client can get, to within a kilobyte."""
        self.hold(16, *large(coding))
        for size in (150_000, 20_000, 2_000, 1_000):
            self.hold(16, [f"Content-Length: {size + 1}"], b" " * size)

    def collect(self) -> list[int]:
        """Reads the responses that have arrived. Returns the statuses of all refused bodies so far."""
        for raw in select.select([raw.socket for raw in self.held], [], [], 0)[0]:
            found = next(one for one in self.held if one.socket is raw)
            self.refused.append(found.read_response().status)
            self.held.remove(found)
            found.close()
        return self.refused

    def ask(self, size: str) -> RawConnection:
        """Posts a complete body on a new connection and waits for the response."""
        raw = RawConnection(self.server, timeout=60, source=self.source)
        data = ingest(payload(run_id(), 0, 2), self.headers) if size == "small" else ingest(padded(LARGE), self.headers)
        self.status = raw.ask(data).status
        return raw

    def post(self, size: str = "small") -> int:
        self.ask(size).close()
        return self.status

    def close(self):
        for raw in self.held:
            raw.close()


def unread(port: int) -> int:
    """Bytes received on connections to a local port that the server has not read yet (proc_net_tcp(5))."""
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port and fields[3] == "01":
            total += int(fields[4].split(":")[1], 16)
    return total


@contextlib.contextmanager
def crowds(server, *clients):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(Crowd(server, *client))) for client in clients]


@pytest.fixture
def shared(start_server, tmp_path):
    """A server with tokens and room for about ten large bodies. Its stall timeout is long unless options are given."""
    def start(*options):
        return start_server(
            "--auth-tokens-file", tokens_file(tmp_path), "--max-body-memory", 20_000_000,
            *(options or ("--body-stall-timeout", 600)))
    return start


CODINGS = ["plain", "gzip", "chunked", "gzip, chunked"]


@pytest.mark.parametrize("coding", CODINGS)
def test_small_bodies_get_in_while_their_own_client_holds_all_that_it_can(shared, coding):
    with crowds(shared(), ("trainer", "127.0.0.1")) as [crowd]:
        crowd.fill(coding)
        assert crowd.refused.count(503) >= 8
        assert [crowd.post() for _ in range(POSTS)] == [202] * POSTS
        assert set(crowd.collect()) == {503}


@pytest.mark.parametrize("other", [("both", "127.0.0.1"), ("trainer", "127.0.0.2"), ("boss", "127.0.0.2")])
def test_large_bodies_of_another_token_or_address_get_in(shared, other):
    with crowds(shared(), ("trainer", "127.0.0.1"), other) as [crowd, honest]:
        crowd.fill("gzip")
        # An invalid payload, refused once it is complete.
        assert [honest.post("large") for _ in range(POSTS)] == [422] * POSTS
        assert [honest.post() for _ in range(POSTS)] == [202] * POSTS
        assert crowd.post("large") == 503


def test_on_an_open_server_each_address_has_its_share(start_server):
    own = start_server("--max-body-memory", 20_000_000)
    with crowds(own, (None, "127.0.0.1"), (None, "127.0.0.2")) as [crowd, honest]:
        crowd.fill("gzip")
        assert [honest.post("large") for _ in range(POSTS)] == [422] * POSTS
        assert [crowd.post() for _ in range(POSTS)] == [202] * POSTS


def test_stalled_bodies_lose_their_place_to_others_of_their_client(shared):
    with crowds(shared("--body-stall-timeout", 0.2), ("trainer", "127.0.0.1")) as [crowd]:
        crowd.hold(16, *large("gzip"))
        assert crowd.held and set(crowd.refused) <= {503, 408}
        wait_until(lambda: crowd.post("large") == 422)
        assert 408 in crowd.collect()
        assert [crowd.post("large") for _ in range(POSTS)] == [422] * POSTS


def test_an_unfinished_body_keeps_its_place_while_nobody_needs_it(shared):
    with crowds(shared("--body-stall-timeout", 0.01), ("trainer", "127.0.0.1")) as [crowd]:
        body = padded(LARGE)
        crowd.hold(1, [f"Content-Length: {len(body)}"], body[:-1])
        time.sleep(0.1)
        assert [crowd.post() for _ in range(POSTS)] == [202] * POSTS
        assert crowd.held[0].ask(body[-1:]).status == 422


def test_room_is_given_back_once(shared):
    with crowds(shared("--body-stall-timeout", 0.2), ("trainer", "127.0.0.1")) as [crowd]:
        for _ in range(5):
            crowd.hold(16, *large("gzip, chunked"))
            for raw in crowd.held:
                raw.reset()
            crowd.held.clear()
        wait_until(lambda: crowd.post("large") == 422)
        # All memory is available again: as many bodies are accepted as at the start.
        counts = []
        for _ in range(2):
            crowd.refused.clear()
            crowd.hold(16, *large("gzip, chunked"))
            counts.append(crowd.refused.count(503))
            for raw in crowd.held:
                raw.reset()
            crowd.held.clear()
            wait_until(lambda: crowd.post("large") == 422)
        assert max(counts) < 16
