"""MAX_BODY_MEMORY: the limit of memory for all unfinished bodies together."""

import contextlib
import gzip
import random
import select

import pytest
from Support.clients.libraries import healthy, post, session, wait_until
from Support.payloads import payload, run_id
from Support.wire.raw import RawConnection, ingest

SIZE = 999_000
# Not a valid payload, so it is refused once it is complete. It compresses to half its size: not a bomb.
BODY = random.Random(1).randbytes(SIZE // 2).hex().encode()


@pytest.fixture
def bounded(start_server):
    """A server with room for two bodies from one address and half of a third."""
    return start_server("--max-request-size", 1_000_000, "--max-body-memory", 4_000_000, "--body-timeout", 60)


def send_whole(server):
    with RawConnection(server, timeout=60) as raw:
        raw.send(ingest(BODY))
        return raw.read_response()


class Held:
    """Connections that have sent a body without its last byte."""

    def __init__(self, server, data: bytes):
        self.server, self.data = server, data
        self.connections: list[RawConnection] = []

    def begin(self):
        self.connections.append(RawConnection(self.server, timeout=60))
        self.connections[-1].send(self.data[:-1])

    def until_another_is_refused(self):
        """Sends another body and returns the refusal. All bodies in `connections` are then accepted.

        The server refuses the body that it reads last, which may be one of `connections`.
        """
        def ask():
            answer = send_whole(self.server)
            refused = select.select([raw.socket for raw in self.connections], [], [], 0)[0]
            for raw in [raw for raw in self.connections if raw.socket in refused]:
                assert raw.read_response().status == 503
                self.connections.remove(raw)
                self.begin()
            return answer.status == 503 and not refused and answer
        return wait_until(ask)

    def close(self):
        for raw in self.connections:
            raw.close()


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_bodies_that_are_too_much_together_are_answered_503_until_some_are_done(bounded, coding):
    headers = [] if coding == "identity" else ["Content-Encoding: gzip"]
    data = ingest(BODY if coding == "identity" else gzip.compress(BODY), headers=headers)
    with contextlib.closing(Held(bounded, data)) as held, session(bounded) as client:
        held.begin()
        held.begin()
        busy = held.until_another_is_refused()
        assert busy.json()["detail"]["error"] == "busy"
        assert busy["retry-after"] == "1"
        # There is still room for small bodies.
        assert post(client, bounded, payload(run_id())).status_code == 202
        healthy(bounded)
        # Accepted bodies can be completed.
        done = held.connections.pop(0)
        done.send(data[-1:])
        assert done.read_response().status == 422
        done.close()
        assert send_whole(bounded).status == 422
        # A client that disconnects makes room, too.
        held.begin()
        held.until_another_is_refused()
        held.connections.pop().reset()
        wait_until(lambda: send_whole(bounded).status == 422)


def test_a_refused_body_leaves_nothing_set_aside(bounded):
    with session(bounded) as client:
        for _ in range(10):
            answer = client.post(bounded.url + "/api/v1/metrics/layerwise", data=b" " * 1_000_001, timeout=60)
            assert answer.status_code == 413
        # Chunked, so the server does not know the length in advance.
        for _ in range(10):
            answer = client.post(bounded.url + "/api/v1/metrics/layerwise", data=iter([b" " * 900_000] * 2), timeout=60)
            assert answer.status_code == 413
    for _ in range(3):
        assert send_whole(bounded).status == 422
