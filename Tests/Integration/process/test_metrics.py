"""GET /metrics."""

import gzip
import http.client
import random

import pytest
from Support.clients.access import TOKENS, call, tokens_file
from Support.clients.ingest import accept, encode
from Support.clients.libraries import receive, session, subscribe, wait_until
from Support.clients.metrics import Growth, families, metrics
from Support.clients.openwire import LINES, accept_lines, accept_steps, request
from Support.clients.runs import put
from Support.payloads import payload
from Support.wire.raw import INGEST, RawConnection
from Support.wire.raw_websocket import RawWebSocket

REASONS = {"invalid", "too_large", "unsupported_media_type", "malformed", "unauthorized", "forbidden", "timeout",
           "memory", "store_unavailable", "other"}
STEPS = ["/api/v2/runs/r/steps", INGEST]


@pytest.fixture
def own(start_server):
    return start_server()


def test_a_new_server_has_every_series(own):
    found = families(own)
    assert {name.removeprefix("nnmonitor_"): family.type for name, family in found.items()} == {
        "steps_accepted": "counter", "steps_not_kept": "counter", "rejected": "counter", "runs_evicted": "counter",
        "received_bytes": "counter", "subscribers": "gauge", "messages_sent": "counter", "messages_skipped": "counter",
        "webhook_messages": "counter", "webhook_retries": "counter", "webhook_queue": "gauge",
        "store_bytes": "gauge", "event_loop_lag_seconds": "gauge"}
    assert all(family.documentation.endswith(".") for family in found.values())
    values = metrics(own)
    assert values.pop("event_loop_lag_seconds") >= 0
    assert set(values.values()) == {0}
    assert {key[1] for key in values if key[0] == "rejected_total"} == REASONS
    assert {key[1] for key in values if key[0] == "webhook_messages_total"} == {
        "delivered", "refused", "failed", "queue_full", "stopped"}
    assert {key[1] for key in values if key[0] == "steps_not_kept_total"} == {"below_kept_steps", "memory"}


def test_only_get_and_head_and_only_the_scope_read(own, guarded):
    assert request(own, "HEAD", "/metrics").content == b""
    response = request(own, "POST", "/metrics")
    assert response.status_code == 405 and response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert [call(guarded, "GET", "/metrics", token).status_code for token in ("", "trainer", "viewer", "boss")] == [
        401, 403, 200, 200]


def test_accepted_steps_and_their_bytes_are_counted(own):
    growth = Growth(own)
    bodies = [encode(payload("r", 1)).encode(), b'{"step":2}', b'{"step":3}\n{"step":4}\n\n{"step":4}']
    with session(own) as client:
        for path, body, kind in zip([INGEST, STEPS[0], STEPS[0]], bodies,
                                    ["application/json", "application/json", LINES], strict=True):
            answer = client.post(own.url + path, data=body, headers={"Content-Type": kind})
            assert answer.status_code == 202
    assert growth() == {"steps_accepted_total": 5, "received_bytes_total": sum(map(len, bodies))}
    assert metrics(own)["store_bytes"] > 1000


@pytest.mark.parametrize("path", STEPS)
def test_received_bytes_are_those_before_decompression(own, path):
    body = gzip.compress(encode(payload("r", 1) if path == INGEST else {"step": 1, "x": "y" * 5000}).encode())
    growth = Growth(own)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert request(own, "POST", path, data=body, headers=headers).status_code == 202
    # In chunks, whose framing does not count.
    pieces = iter([body[:7], body[7:]])
    assert request(own, "POST", path, data=pieces, headers=headers).status_code == 202
    assert growth() == {"steps_accepted_total": 2, "received_bytes_total": 2 * len(body)}


def test_other_bodies_are_not_counted_as_received(own):
    growth = Growth(own)
    put(own, "r", {"name": "n"}, 201)
    assert request(own, "POST", "/api/v2/runs/r/alerts", json={"title": "t"}).status_code == 202
    assert request(own, "PUT", "/api/v2/runs/r", json={"name": 3}).status_code == 422
    assert growth() == {}


@pytest.mark.parametrize("path", STEPS)
def test_refused_posts_are_counted_by_reason(own, path):
    growth = Growth(own)
    expected = {}

    def refused(reason, status, data=b"{}", path=path, **headers):
        headers = {"Content-Type": "application/json", **{name.replace("_", "-"): text
                                                          for name, text in headers.items()}}
        response = request(own, "POST", path, data=data, headers=headers)
        assert response.status_code == status, response.text
        expected["rejected_total", reason] = expected.get(("rejected_total", reason), 0) + 1
        found = growth()
        found.pop("received_bytes_total", None)
        assert found == expected

    refused("invalid", 422)
    refused("invalid", 422, b"[1")
    refused("unsupported_media_type", 415, Content_Type="text/plain")
    refused("unsupported_media_type", 415, Content_Encoding="br")
    refused("too_large", 413, b"x" * 2_000_001)
    refused("too_large", 413, iter([b"x" * 1_000_000] * 3))
    refused("too_large", 413, gzip.compress(bytes(3_000_000)), Content_Encoding="gzip")
    refused("malformed", 400, b"no gzip", Content_Encoding="gzip")
    refused("malformed", 400, gzip.compress(b"{}")[:-3], Content_Encoding="gzip")
    if path != INGEST:
        refused("invalid", 422, path="/api/v2/runs/%00/steps")
        refused("invalid", 422, path="/api/v2/runs/%00/steps", Content_Type=LINES)
        refused("malformed", 400, b"no gzip", Content_Encoding="gzip", Content_Type=LINES)
        refused("too_large", 413, gzip.compress(bytes(70_000_000)), Content_Encoding="gzip", Content_Type=LINES)


@pytest.mark.parametrize("path", STEPS)
def test_a_post_that_is_cut_off_is_malformed(own, path):
    growth = Growth(own)
    connection = http.client.HTTPConnection("127.0.0.1", own.port, timeout=30)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    connection.send(b"{")
    connection.sock.shutdown(1)
    assert connection.getresponse().status == 400
    connection.close()
    assert growth() == {("rejected_total", "malformed"): 1, "received_bytes_total": 1}


@pytest.mark.parametrize("path", STEPS)
def test_a_post_that_comes_too_slowly_is_a_timeout(start_server, path):
    own = start_server("--body-timeout", 1)
    growth = Growth(own)
    with RawConnection(own) as slow:
        slow.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{".encode())
        assert slow.read_response().status == 408
    assert growth() == {("rejected_total", "timeout"): 1, "received_bytes_total": 1}


def test_other_routes_and_unreadable_requests_count_as_no_refused_step(own):
    growth = Growth(own)
    assert request(own, "GET", STEPS[1]).status_code == 405
    assert request(own, "GET", "/nowhere").status_code == 404
    assert request(own, "GET", "/api/v2/runs/r/steps").status_code == 404
    assert request(own, "OPTIONS", STEPS[0]).status_code == 204
    # The request after a step, on its connection.
    with RawConnection(own) as connection:
        body = b'{"step":1}'
        connection.send(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%sBROKEN\r\n\r\n"
                        % (STEPS[0].encode(), len(body), body))
        assert [connection.read_response().status for _ in range(2)] == [202, 400]
    assert growth() == {"steps_accepted_total": 1, "received_bytes_total": len(body)}


def test_posts_without_right_are_counted(start_server, tmp_path):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--auth-failure-limit", 2)
    own.token = TOKENS["viewer"]
    growth = Growth(own)
    for path in STEPS:
        assert [call(own, "POST", path, token, json={}).status_code for token in ("", "viewer")] == [401, 403]
    with session(own, "not-a-token-0123456789") as client:
        assert [client.post(own.url + path, json={}).status_code for path in 2 * STEPS] == [401, 401, 429, 429]
    assert growth() == {("rejected_total", "unauthorized"): 6, ("rejected_total", "forbidden"): 2}


def test_each_refused_line_of_a_batch_is_counted(own):
    growth = Growth(own)
    lines = ['{"step":1}', "{}", "x", '{"step":2,"x":"%s"}' % ("x" * 2_000_000), "", '{"step":3}']
    assert accept_lines(own, "r", lines)["accepted"] == 2
    assert growth() == {"steps_accepted_total": 2, ("rejected_total", "invalid"): 2, ("rejected_total", "too_large"): 1,
                        "received_bytes_total": sum(len(line) + 1 for line in lines)}


def test_a_post_without_memory_is_counted(start_server):
    own = start_server("--max-body-memory", 4_000_000)
    body = "".join(f'{{"step":{number},"x":"{random.Random(number).randbytes(500).hex()}"}}\n'
                   for number in range(1850)).encode()
    growth = Growth(own)
    # Bodies that are not complete keep their memory.
    with RawConnection(own) as first, RawConnection(own) as second:
        head = f"POST {STEPS[0]} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {LINES}\r\nContent-Length: {len(body)}\r\n\r\n"
        for connection in (first, second):
            connection.send(head.encode() + body[:-1])
        refused = wait_until(lambda: [key for key in growth() if isinstance(key, tuple)])
        assert refused == [("rejected_total", "memory")]
        assert growth()["rejected_total", "memory"] == 1


def test_steps_that_are_not_kept_and_evicted_runs_are_counted(start_server):
    own = start_server("--max-steps-per-run", 10, "--max-runs", 2)
    growth = Growth(own)
    accept_lines(own, "r", [{"step": 100 + number} for number in range(11)])
    accept_steps(own, "r", {"step": 1})
    accept_lines(own, "r", [{"step": 2}, {"step": 3}, {"step": 200}])
    found = growth()
    assert found["steps_accepted_total"] == 15 and found["steps_not_kept_total", "below_kept_steps"] == 3
    accept_steps(own, "s", {"step": 1})
    accept(own, payload("t", 1))
    put(own, "u", {}, 201)
    accept_lines(own, "v", [{"step": 1}])
    assert growth()["runs_evicted_total"] == 3
    assert request(own, "DELETE", "/api/v2/runs/v").status_code == 204
    assert growth()["runs_evicted_total"] == 3


def test_steps_that_a_run_has_no_memory_for_are_counted(start_server):
    own = start_server("--max-memory", 32_000_000)
    growth = Growth(own)
    step = {"layers": [f"l{number}" for number in range(1000)],
            "metrics": {f"m{number}": list(range(1000)) for number in range(20)}}
    answers = [accept_steps(own, "r", {"step": 1000 - number, **step}) for number in range(250)]
    not_kept = sum(answer.get("reason") == "memory" for answer in answers)
    assert not_kept > 0
    found = growth()
    assert found["steps_not_kept_total", "memory"] == not_kept
    assert metrics(own)["store_bytes"] <= 32_000_000


def test_store_bytes_go_back_with_the_runs(own):
    accept_steps(own, "r", *({"step": number, "scalars": {f"s{name}": 1 for name in range(100)}}
                             for number in range(20)))
    assert metrics(own)["store_bytes"] > 20 * 100 * 8
    assert request(own, "DELETE", "/api/v2/runs/r").status_code == 204
    assert metrics(own)["store_bytes"] == 0


def test_subscribers_and_their_messages_are_counted(own):
    growth = Growth(own)
    with subscribe(own) as first, subscribe(own, None) as second:
        for socket in (first, second):
            receive(socket, "initial_runs")
        assert metrics(own)["subscribers"] == 2
        accept_steps(own, "r", {"step": 1, "layers": ["a"]}, {"step": 2, "layers": ["a"]})
        for socket in (first, second):
            for _ in range(2):
                receive(socket, "new_metrics")
        assert growth()["messages_sent_total"] == 6
        first.send('{"action":"ping"}')
        receive(first, "pong")
        first.send('{"action":"nonsense"}')
        receive(first, "error")
        first.send('{"action":"subscribe_run","run_id":"r"}')
        receive(first, "run_history")
        first.send('{"action":"watch","run_ids":null,"form":"columns","layers":false}')
        receive(first, "watching")
        assert growth()["messages_sent_total"] == 10
        # A structure and a step; v1's form for the other.
        accept_steps(own, "r", {"step": 3, "layers": ["a"]})
        receive(first, "step")
        receive(second, "new_metrics")
        assert growth()["messages_sent_total"] == 13
        assert "messages_skipped_total" not in growth()
    wait_until(lambda: metrics(own)["subscribers"] == 0)


def test_messages_that_slow_subscribers_skip_are_counted(start_server):
    own = start_server("--subscriber-queue", 4)
    growth = Growth(own)
    steps = [{"step": number, "scalars": {f"s{name}": random.random() for name in range(1000)}} for number in range(400)]
    with RawWebSocket(own) as slow:
        assert slow.read_json()["type"] == "initial_runs"
        for start in range(0, len(steps), 50):
            accept_lines(own, "r", steps[start:start + 50])
        skipped = growth()["messages_skipped_total"]
        assert skipped > 0
        lagged, seen = 0, 0
        while lagged + seen < len(steps):
            message = slow.read_json()
            if message["type"] == "lagged":
                lagged += message["skipped"]
            else:
                seen += 1
        assert lagged == skipped == growth()["messages_skipped_total"]
