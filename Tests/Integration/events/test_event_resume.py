"""Server-Sent Events of a client that resumes: `since_seq` and `Last-Event-ID`."""

import pytest
from Support.clients.events import EventStream
from Support.clients.live import LiveSocket
from Support.clients.openwire import accept_lines, accept_steps, read_steps
from Support.payloads import run_id


def step(number: int, **more) -> dict:
    return {"step": number, "time": number + 1, "scalars": {"loss": number / 4}, "layers": ["a.b", "c"],
            "metrics": {"m": [number, None], "n": [1, "NaN"]}, "vectors": {"v": {"c": [number]}}, **more}


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("form", ["full", "lite", "columns"])
def test_missed_steps_come_as_single_events_and_then_the_live_ones(either, form, gzip):
    run = run_id("missed")
    accept_steps(either, run, step(5), step(3), step(9), step(3), step(1), step(9))
    with EventStream(either, run=run, form=form, since_seq=2, gzip=gzip) as stream, LiveSocket(either) as socket:
        history = socket.history(run, since_seq=2, form=form)["data"]
        events = [stream.next() for _ in range(3)]
        assert [event.message["data"] for event in events] == history["steps"]
        assert [event.id for event in events] == ["4", "5", "6"]
        accept_steps(either, run, step(2))
        live = stream.next()
        assert (live.id, live.message) == ("7", socket.next_step(run))
        # Each missed step is the message that came live.
        assert {list(event.message)[-1] for event in events} == {list(live.message)[-1]}


def test_the_header_wins_over_the_query_unless_it_is_no_number(server):
    run = run_id("header")
    accept_steps(server, run, *({"step": number} for number in range(8)))
    for last_id, since, expected in ((6, None, [7, 8]), (7, 2, [8]), ("", 6, [7, 8]), ("x7", 7, [8]), ("-1", 7, [8]),
                                     ("1.5", 7, [8]), ("+7", 6, [7, 8]), ("007", 0, [8]), (" 7 ", 0, [8]),
                                     (None, 7, [8])):
        with EventStream(server, last_id, run=run, form="columns",
                         **({} if since is None else {"since_seq": since})) as stream:
            assert [seq for seq, _ in stream.steps(len(expected))] == expected, (last_id, since)
    for last_id in ("nonsense", None):
        with EventStream(server, last_id, run=run, form="columns") as stream:
            accept_steps(server, run, {"step": 9})
            assert stream.steps(1)[0][1] == 9, "live only"


def test_reset_comes_before_all_steps_where_the_server_does_not_know_what_changed(start_server):
    server = start_server("--max-steps-per-run", 10)
    accept_lines(server, "r", [{"step": 100 + number} for number in range(12)])
    kept = [(seq, 99 + seq) for seq in range(3, 13)]
    for since in (0, 1, 13, 2**63 - 1, 2**64 - 1, 10**30):
        with EventStream(server, since, run="r", form="columns") as stream:
            reset = stream.next()
            assert reset.message == {"type": "reset", "run_id": "r"} and reset.id is None
            assert stream.steps(10) == kept
    with EventStream(server, 2, run="r", form="columns") as stream:
        assert stream.next().message["seq"] == 3, "no reset: the client has every step that was dropped"


def test_reset_where_the_run_is_another_one_than_the_client_knows(server):
    run = run_id("life")
    accept_steps(server, run, {"step": 1}, {"step": 2})
    with LiveSocket(server) as socket:
        created = socket.history(run)["data"]["created_at"]
    for known, first in ((created, "step"), ("1999", "reset")):
        with EventStream(server, 1, run=run, form="columns", created_at=known) as stream:
            assert stream.next().message["type"] == first


def test_a_limit_bounds_the_missed_steps(server):
    run = run_id("limit")
    accept_steps(server, run, *({"step": number} for number in range(5)))
    with EventStream(server, 2, run=run, form="columns", limit=3) as stream:
        assert stream.next().message["seq"] == 3
    with EventStream(server, 2, run=run, form="columns", limit=2) as stream:
        assert stream.next().message == {"type": "reset", "run_id": run}
        # The client reads series instead, and resumes from there.
        assert stream.block() == ["id: 5"]
        accept_steps(server, run, {"step": 9})
        assert stream.steps(1) == [(6, 9)]
    with EventStream(server, run=run, form="columns", limit=0) as stream:
        assert stream.block() == ["id: 6"]
    with EventStream(server, 6, run=run, form="columns", limit=0) as stream:
        accept_steps(server, run, {"step": 10})
        assert stream.next().id == "7"


def test_the_id_is_that_of_the_last_step_also_if_it_is_not_kept(start_server):
    server = start_server("--max-steps-per-run", 10)
    accept_lines(server, "r", [{"step": 100 + number} for number in range(10)])
    assert accept_steps(server, "r", {"step": 1})["kept"] is False
    with EventStream(server, 8, run="r", form="columns") as stream:
        assert stream.next().message["type"] == "reset"
        assert len(stream.steps(10)) == 10
        assert stream.block() == ["id: 11"]
    with EventStream(server, 11, run="r", form="columns") as stream:
        accept_steps(server, "r", {"step": 200})
        assert stream.next().id == "12"


def test_layers_come_once_before_the_first_step_that_needs_them(server):
    run = run_id("structures")
    accept_steps(server, run, step(1), step(2), {"step": 3, "layers": ["x"]}, {"step": 4})
    with EventStream(server, 0, run=run, form="columns", layers="false") as stream:
        accept_steps(server, run, step(5), {"step": 6, "layers": ["x"]})
        known, found = {}, []
        while len(found) < 6:
            event = stream.next()
            if event.message["type"] == "structure":
                assert event.id is None and event.message["structure"] not in known
                known[event.message["structure"]] = [layer["id"] for layer in event.message["layers"]]
            else:
                data = event.message["data"]
                assert "layers" not in data
                found.append(known[data["structure"]] if "structure" in data else None)
    assert found == [["a/b", "c"], ["a/b", "c"], ["x"], None, ["a/b", "c"], ["x"]]


def test_long_histories_come_in_pieces(either):
    run = run_id("long")
    layers = [f"l{index}" for index in range(50)]
    accept_lines(either, run, [{"step": number, "time": 1, "layers": layers, "metrics": {"m": [number] * 50}}
                               for number in range(900)])
    for gzip in (False, True):
        with EventStream(either, 0, run=run, form="columns", gzip=gzip) as stream:
            assert [stream.next().message["data"] for _ in range(900)] == read_steps(either, run)
