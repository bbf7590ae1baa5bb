"""A log whose reader is blocked: a paused terminal, a pipe into a hanging program."""

import re

import requests
from Support.payloads import payload
from Support.wire.raw import INGEST

REQUESTS = 4_000


def test_a_log_that_nobody_takes_holds_up_no_request_and_says_what_was_lost(start_server):
    # Keep all steps, because dropped steps would add a log line.
    own = start_server("--log-buffer", "65536", "--max-steps-per-run", REQUESTS)
    own.hold_output()
    with requests.Session() as session:
        for step in range(REQUESTS):
            answer = session.post(own.url + INGEST, json=payload("held", step), timeout=30)
            assert answer.status_code == 202
        assert session.get(own.url + "/health", timeout=30).status_code == 200
        own.take_output()
        own.wait_for_line("log lines were lost")
        # Later lines appear normally.
        assert session.get(own.url + "/api/v1/runs/afterwards", timeout=30).status_code == 404
    own.wait_for_line("/api/v1/runs/afterwards")
    assert own.stop() == 0
    lost = sum(int(count) for count in re.findall(r"log lines were lost.* count=(\d+)", own.output))
    written = sum(" request " in line for line in own.lines)
    assert lost > 0
    assert lost + written == REQUESTS + 2


def test_a_log_that_nobody_takes_does_not_hold_up_the_end(start_server):
    own = start_server("--log-buffer", "65536")
    own.hold_output()
    with requests.Session() as session:
        for _ in range(REQUESTS):
            assert session.get(own.url + "/health", timeout=30).status_code == 200
    own.signal(15)
    assert own.process.wait(30) == 0
    own.take_output()
