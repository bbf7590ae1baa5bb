"""The examples' reporter with slow, busy and refusing servers: training never waits, and every step is counted."""

import gzip
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from Support.clients.ingest import kept_steps
from Support.payloads import payload, run_id, served
from Support.servers.server import ROOT

sys.path.insert(0, str(ROOT / "examples"))

from reporter import Reporter  # noqa: E402


@pytest.fixture
def scripted():
    """A server that sends the given responses and then 202. It records the request bodies."""
    answers, bodies = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answers.pop(0) if answers else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    web = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    web.url, web.answers, web.bodies = f"http://127.0.0.1:{web.server_port}", answers, bodies
    yield web
    web.shutdown()
    thread.join(10)
    web.server_close()


def counts(reporter: Reporter) -> tuple:
    return reporter.posted, reporter.failed, reporter.dropped, reporter.unsent


@pytest.mark.parametrize("compress", [False, True])
def test_steps_are_posted_in_order_and_kept_as_they_were(server, compress):
    run = run_id("reporter")
    posted = [payload(run, step) for step in range(20)]
    reporter = Reporter(server.url, compress=compress)
    for item in posted:
        reporter.report(item)
    assert reporter.close()
    assert counts(reporter) == (20, 0, 0, 0)
    assert kept_steps(server, run) == [served(item) for item in posted]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_server_is_asked_again_with_the_same_body(scripted, status):
    scripted.answers += [status, status]
    reporter = Reporter(scripted.url)
    reporter.report({"step": 1})
    assert reporter.close()
    assert counts(reporter) == (1, 0, 0, 0)
    assert [json.loads(gzip.decompress(body)) for body in scripted.bodies] == [{"step": 1}] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 413, 422])
def test_a_refusal_is_final_and_the_next_step_is_sent(scripted, status):
    scripted.answers += [status]
    reporter = Reporter(scripted.url, compress=False)
    reporter.report({"step": 1})
    reporter.report({"step": 2})
    assert not reporter.close()
    assert counts(reporter) == (1, 1, 0, 0)
    assert [json.loads(body) for body in scripted.bodies] == [{"step": 1}, {"step": 2}]


def test_a_server_that_is_not_there_fails_after_the_attempts():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        reporter = Reporter(f"http://127.0.0.1:{closed.getsockname()[1]}", attempts=2)
        reporter.report({})
        assert not reporter.close()
    assert counts(reporter) == (0, 1, 0, 0)


def test_a_server_that_never_answers_blocks_nothing_and_every_step_is_counted():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        reporter = Reporter(f"http://127.0.0.1:{mute.getsockname()[1]}", waiting=4)
        # Returns although the server reads nothing: the oldest payloads are dropped.
        for step in range(100):
            reporter.report({"step": step})
        assert not reporter.close(0.2)
    assert reporter.posted == reporter.failed == 0
    assert reporter.dropped + reporter.unsent == 100
    # The payloads in the queue, plus the one in progress if the thread had already taken it.
    assert reporter.unsent in (4, 5)
    assert f"{reporter.unsent} unsent" in reporter.summary()
