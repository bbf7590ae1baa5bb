"""What cannot be read is an error on the screen that stays and says what to do."""

import json
import struct

import pytest
from dashboard import Dashboard, Trainer, unique_run
from playwright.sync_api import expect

HTML = "<!doctype html><title>Proxy</title><p>Please log in"

# The end of an address, what the page calls the read, and answers that are none of it.
READS = [
    ("**/runs/*/health?*", "The findings"),
    ("**/runs/*/steps?*", "The steps"),
    ("**/runs/*/series?*", "The step numbers"),
    ("**/runs/*/matrix?*", "The heatmap"),
    ("**/api/v2/runs?*", "The descriptions of the runs"),
    ("**/health", "The limits of the server"),
]


@pytest.fixture
def run(server):
    name = unique_run("unreadable")
    Trainer(server).post_steps(name, [
        {"step": step, "scalars": {"train/loss": 1.5}, "layers": ["a", "b"], "metrics": {"activation_std": [1, step]}}
        for step in range(1, 9)])
    return name


def problem(page, subject):
    return page.locator("#problems li").filter(has_text=f"{subject} cannot be read")


@pytest.mark.parametrize(("pattern", "subject"), READS, ids=[subject for _, subject in READS])
def test_an_answer_that_is_a_page_of_a_proxy(server, page, run, pattern, subject):
    page.route(pattern, lambda route: route.fulfill(content_type="text/html", body=HTML))
    page.goto(f"{server.url}/#run={run}")
    shown = problem(page, subject)
    kind = "bytes" if "heatmap" in subject else "Please log in"
    for part in ("text/html", kind, "GET ", "proxy", "reload this page"):
        expect(shown).to_contain_text(part)
    # It stays while other reads and messages arrive.
    Trainer(server).post_steps(unique_run("other"), [{"step": 1}])
    expect(shown).to_be_visible()


def test_an_error_ends_with_the_first_answer_that_can_be_read(server, page, run):
    page.route("**/runs/*/steps?*", lambda route: route.fulfill(body='{"step":1'))
    page.goto(f"{server.url}/#run={run}")
    expect(problem(page, "The steps")).to_be_visible()
    page.unroute("**/runs/*/steps?*")
    Dashboard(page, server).expect_step(8)
    expect(page.locator("#problems")).to_be_hidden()


def matrix(shape, numbers, **changes):
    head = {"metric": "activation_std", "agg": ["last", "nonfinite"], "layers": ["a", "b"], "steps": [1, 2],
            "last_steps": [1, 2], "last_seq": 8, "dtype": "<f4", "shape": shape, **changes}
    text = json.dumps(head).encode()
    text += b" " * (-(len(text) + 4) % 8)
    return struct.pack("<I", len(text)) + text + struct.pack(f"<{numbers}f", *range(numbers))


@pytest.mark.parametrize("body", [
    b"", b"\xff\xff\xff\x7f", matrix([2, 2, 2], 7), matrix([2, 2, 2], 9), matrix([2, 2, 2], 8, dtype="<f8"),
    matrix([2, 2, 2], 8, agg=["last", "max"]), matrix(None, 8), matrix([2, 3, 2], 12), matrix([2, 2, 3], 12),
    matrix([2, 2, 2], 8, last_steps=[1]), matrix([2, 2, 2], 8, layers=7),
], ids=["empty", "no head", "short", "long", "type", "lists", "no shape", "rows", "columns", "last steps", "layers"])
def test_a_matrix_whose_head_does_not_fit(server, page, run, body):
    page.route("**/matrix?*", lambda route: route.fulfill(
        content_type="application/vnd.nnmonitor.matrix", body=body))
    page.goto(f"{server.url}/#run={run}")
    expect(problem(page, "The heatmap")).to_contain_text("GET api/v2/runs/")
    expect(page.locator("#heatmap-status")).to_contain_text("The heatmap could not be read")
    # The rest of the page works.
    Dashboard(page, server).expect_step(8)


@pytest.mark.parametrize("text", [
    '{"type":"step","run_id":', "<html>", "[1]", '{"type":"step","run_id":"RUN","data":null}',
    '{"type":"run","run_id":"RUN","data":null}', '{"type":"alert","run_id":"RUN","data":7}',
    '{"type":"initial_runs","data":{"x":null}}', '{"type":"run_history","run_id":"RUN","data":null}',
], ids=["cut", "page", "list", "step", "run", "alert", "runs", "history"])
def test_a_message_that_cannot_be_read_is_shown_until_it_is_dismissed(server, page, run, text):
    connections = []

    def connect(route):
        route.connect_to_server()
        connections.append(route)

    page.route_web_socket("**/ws", connect)
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(8)
    connections[0].send(text.replace("RUN", run))
    shown = page.locator("#problems li")
    expect(shown).to_contain_text("a message that cannot be read")
    expect(shown).to_contain_text("Reload the page")
    # Later messages work, and the error stays.
    Trainer(server).post_steps(run, [{"step": 9, "layers": ["a", "b"], "metrics": {"activation_std": [1, 2]}}])
    dashboard.expect_step(9)
    other = unique_run("other")
    Trainer(server).post_steps(other, [{"step": 1, "layers": ["a"], "metrics": {"activation_std": [1]}}])
    dashboard.open_run(other)
    expect(shown).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#problems")).to_be_hidden()


def test_events_that_are_a_page_of_a_proxy(server, page, run, problems):
    problems.allow("WebSocket connection to")
    page.route_web_socket("**/ws", lambda route: route.close())
    page.route("**/api/v2/events?*", lambda route: route.fulfill(content_type="text/html", body=HTML))
    page.goto(f"{server.url}/#run={run}")
    expect(page.locator("#empty-text")).to_contain_text("text/html", timeout=60_000)
