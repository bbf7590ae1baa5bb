"""Evicted runs and dropped steps cause a log line and a message to subscribers."""

import re
from concurrent.futures import ThreadPoolExecutor

from Support.clients.ingest import accept, get, kept_steps, run_path
from Support.clients.libraries import receive, session, subscribe
from Support.payloads import payload, served


def lines(server, text: str) -> list[str]:
    """The log lines at level notice that contain `text`."""
    return [line for line in server.output.splitlines() if text in line and re.search(r"\bnotice\b", line, re.I)]


def listing(server) -> dict:
    return get(server, "/api/v1/runs").json()


def test_eleven_runs_in_turn_all_stay_under_default_limits(start_server):
    own = start_server()
    for step in range(3):
        for number in range(11):
            accept(own, payload(f"run-{number}", step))
    assert {run: entry["step_count"] for run, entry in listing(own).items()} == {f"run-{n}": 3 for n in range(11)}
    assert own.stop() == 0
    assert lines(own, "evicted") == []


def test_an_eviction_is_logged_once_a_minute_and_run_with_a_running_total(start_server):
    own = start_server("--max-runs", 2)
    for _ in range(5):
        for run in ("alpha", "beta", "gamma"):
            accept(own, payload(run))
    assert own.stop() == 0
    found = lines(own, "a run was evicted")
    for run in ("alpha", "beta", "gamma"):
        assert len([line for line in found if f"run_id={run}" in line]) == 1, found
    assert len(found) == 3
    assert all("max_runs=2" in line and "steps=1" in line for line in found)
    assert [int(re.search(r"evicted_runs=(\d+)", line).group(1)) for line in found] == [1, 2, 3]


def test_an_eviction_for_memory_is_logged_with_its_limit(start_server):
    own = start_server("--max-memory", 100_000)
    for run in ("first", "second"):
        for step in range(8):
            accept(own, payload(run, step, layers=60))
    assert own.stop() == 0
    evicted = lines(own, "a run was evicted")
    assert len(evicted) == 1 and "run_id=first" in evicted[0] and "max_memory=100000" in evicted[0]
    assert "max_runs" not in evicted[0]


def test_steps_that_a_run_alone_has_no_memory_for_are_logged(start_server):
    own = start_server("--max-memory", 100_000)
    for step in range(40):
        accept(own, payload("alone", step, layers=60))
    kept = len(kept_steps(own, "alone"))
    assert 1 <= kept < 40
    assert own.stop() == 0
    found = lines(own, "the lowest steps of a run were dropped")
    assert len(found) == 1 and "run_id=alone" in found[0] and "max_memory=100000" in found[0]


def test_a_run_that_starts_again_below_a_full_window_is_logged(start_server):
    own = start_server("--max-steps-per-run", 10)
    for step in range(100, 110):
        accept(own, payload("again", step))
    assert lines(own, "not kept") == []
    for step in range(5):
        accept(own, payload("again", step))
    assert [step["step"] for step in kept_steps(own, "again")] == list(range(100, 110))
    assert own.stop() == 0
    found = lines(own, "a step was not kept")
    assert len(found) == 1, own.output
    assert "run_id=again" in found[0] and "step=0" in found[0]
    assert "max_steps_per_run=10" in found[0] and "steps_not_kept=1" in found[0]


def test_steps_that_leave_a_full_window_are_logged(start_server):
    own = start_server("--max-steps-per-run", 10)
    for step in range(25):
        accept(own, payload("long", step))
    accept(own, payload("other", 1))
    assert own.stop() == 0
    found = lines(own, "the lowest steps of a run were dropped")
    assert len(found) == 1 and "run_id=long" in found[0] and "max_steps_per_run=10" in found[0]


def test_a_line_of_one_run_has_the_total_of_all(start_server):
    own = start_server("--max-steps-per-run", 10)
    for run in ("one", "two"):
        for step in range(15):
            accept(own, payload(run, step))
    assert own.stop() == 0
    totals = [re.search(r"steps_not_kept=(\d+)", line).group(1) for line in lines(own, "were dropped")]
    assert totals == ["1", "6"]


def test_what_is_kept_and_what_is_deleted_is_no_loss(start_server):
    own = start_server("--max-runs", 3, "--max-steps-per-run", 10)
    with session(own) as client:
        for run in ("a", "b", "c"):
            for step in range(10):
                accept(own, payload(run, step))
            accept(own, payload(run, 5, seed=9))  # replaced, not lost
        assert client.delete(own.url + run_path("a")).status_code == 204
    accept(own, payload("d"))
    assert own.stop() == 0
    assert not re.search(r"evicted|not kept|dropped", own.output)


def test_a_log_line_is_safe_for_any_run_id(start_server):
    own = start_server("--max-runs", 1)
    for run in ('a b="c" \u202e', "x" * 512, "last"):
        accept(own, payload(run))
    assert own.stop() == 0
    found = lines(own, "a run was evicted")
    assert len(found) == 2 and "\u202e" not in own.output


def test_subscribers_get_the_eviction_in_the_stores_order(start_server):
    own = start_server("--max-runs", 2)
    accept(own, payload("a", 1))
    accept(own, payload("b", 1))
    with subscribe(own) as watching, subscribe(own, compression=None) as plain:
        for socket in (watching, plain):
            assert list(receive(socket, kind="initial_runs")["data"]) == ["a", "b"]
        new = payload("c", 2)
        accept(own, new)
        accept(own, payload("a", 3))
        for socket in (watching, plain):
            assert receive(socket) == {"type": "run_deleted", "run_id": "a", "reason": "evicted"}
            assert receive(socket) == {"type": "new_metrics", "run_id": "c", "data": served(new), "seq": 1}
            assert receive(socket) == {"type": "run_deleted", "run_id": "b", "reason": "evicted"}
            assert receive(socket)["run_id"] == "a"
    assert list(listing(own)) == ["c", "a"]


def test_an_eviction_for_memory_follows_the_step_that_caused_it(start_server):
    own = start_server("--max-memory", 100_000)
    with subscribe(own) as watching:
        receive(watching, kind="initial_runs")
        for run in ("old", "new"):
            for step in range(7):
                accept(own, payload(run, step, layers=60))
        heard = []
        while len(heard) < 15:
            message = receive(watching)
            heard.append((message["type"], message["run_id"]))
    place = heard.index(("run_deleted", "old"))
    assert heard[place - 1] == ("new_metrics", "new")
    assert heard.count(("run_deleted", "old")) == 1
    assert listing(own).keys() == {"new"}


def test_every_subscriber_sees_the_same_order_under_concurrent_evictions(start_server):
    own = start_server("--max-runs", 3, "--subscriber-queue", 100_000, "--log-level", "warning")
    posts, posters = 40, 6
    with subscribe(own) as first, subscribe(own) as second, ThreadPoolExecutor(posters) as pool:
        for socket in (first, second):
            receive(socket, kind="initial_runs")

        def train(poster: int):
            with session(own):
                for step in range(posts):
                    accept(own, payload(f"run-{poster}", step, layers=1))

        list(pool.map(train, range(posters)))
        accept(own, payload("end"))
        orders = []
        for socket in (first, second):
            order = []
            while not order or order[-1][:2] != ("new_metrics", "end"):
                message = receive(socket)
                order.append((message["type"], message["run_id"], message.get("data", {}).get("step")))
            orders.append(order)
    assert orders[0] == orders[1]
    held = set()
    for kind, run, _ in orders[0]:
        if kind == "run_deleted":
            assert run in held, "only a run that was held is evicted"
            held.remove(run)
        else:
            held.add(run)
        assert len(held) <= 3
    assert held == set(listing(own))


def test_health_has_the_limits_that_the_page_shows(start_server):
    own = start_server("--max-runs", 7, "--max-steps-per-run", 70)
    answer = get(own, "/health").json()
    assert (answer["max_runs"], answer["max_steps_per_run"]) == (7, 70)
