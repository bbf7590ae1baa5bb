"""MAX_BODY_MEMORY: what all clients' bodies may take together while they are under way."""

import contextlib
import gzip
import random

import pytest
from support.clients import healthy, post, session, wait_until
from support.payloads import payload, run_id
from support.raw import RawConnection, ingest

SIZE = 999_000
# Of no use as a payload, and refused as such when it is whole. Compressed it is half as long: no bomb.
BODY = random.Random(1).randbytes(SIZE // 2).hex().encode()


@pytest.fixture
def bounded(start_server):
    """Room for two bodies and a half."""
    return start_server("--max-request-size", 1_000_000, "--max-body-memory", 2_500_000, "--body-timeout", 60)


def send_whole(server):
    with RawConnection(server, timeout=60) as raw:
        raw.send(ingest(BODY))
        return raw.read_response()


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_bodies_that_are_too_much_together_are_answered_503_until_some_are_done(bounded, coding):
    headers = [] if coding == "identity" else ["Content-Encoding: gzip"]
    data = ingest(BODY if coding == "identity" else gzip.compress(BODY), headers=headers)
    with contextlib.ExitStack() as held, session(bounded) as client:
        waiting = [held.enter_context(RawConnection(bounded, timeout=60)) for _ in range(2)]
        for raw in waiting:
            raw.send(data[:-1])
        busy = wait_until(lambda: (answer := send_whole(bounded)).status == 503 and answer)
        assert busy.json()["detail"]["error"] == "busy"
        assert busy["retry-after"] == "1"
        # What is small still has room.
        assert post(client, bounded, payload(run_id())).status_code == 202
        healthy(bounded)
        # Those that were let in are finished.
        waiting[0].send(data[-1:])
        assert waiting[0].read_response().status == 422
        assert send_whole(bounded).status == 422
        # A client that goes away makes room, too.
        waiting.append(held.enter_context(RawConnection(bounded, timeout=60)))
        waiting[-1].send(data[:-1])
        wait_until(lambda: send_whole(bounded).status == 503)
        waiting[-1].reset()
        wait_until(lambda: send_whole(bounded).status == 422)


def test_a_refused_body_leaves_nothing_set_aside(bounded):
    with session(bounded) as client:
        for _ in range(10):
            answer = client.post(bounded.url + "/api/v1/metrics/layerwise", data=b" " * 1_000_001, timeout=60)
            assert answer.status_code == 413
        # Chunked, so that only the bytes tell.
        for _ in range(10):
            answer = client.post(bounded.url + "/api/v1/metrics/layerwise", data=iter([b" " * 900_000] * 2), timeout=60)
            assert answer.status_code == 413
    for _ in range(3):
        assert send_whole(bounded).status == 422
