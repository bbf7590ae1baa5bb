"""Nothing logged is lost, whatever happens between client and server.

This file is long because it has one test for each fault between client and server.
"""

import gzip
import json
import random
import threading

import numpy
import pytest

import nnmonitor as nnm
from nnmonitor.delivery.sender import rest
from nnmonitor.timing import Timing


def wire_steps(front, method="POST"):
    """Step numbers of each body that came in, in their order."""
    bodies = []
    for request in list(front.requests):
        if request.method == method and request.path.endswith("/steps"):
            body = request.body
            body = gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body
            bodies.append([json.loads(line)["step"] for line in body.splitlines()])
    return bodies


def log_steps(run, first, last):
    for step in range(first, last):
        run.log({"loss": 1 / (step + 1)}, step=step)


def test_three_lines_give_a_run(front, log_lines):
    run = nnm.init(project="gpt", name="r7", config={"lr": 3e-4}, url=front.url)
    nnm.log({"train/loss": 0.5, "lr": 3e-4}, step=0)
    nnm.log({"train/loss": 0.25, "lr": 3e-4}, step=1)
    assert dict(nnm.summary) == {"train/loss": 0.25, "lr": 3e-4}
    nnm.finish()

    assert run.id.startswith("r7-") and len(run.id) == len("r7-") + 8
    assert any(run.id in line for line in log_lines("run r7-"))
    kept = front.run(run.id)
    assert (kept["project"], kept["name"], kept["config"]) == ("gpt", "r7", {"lr": 3e-4})
    assert (kept["state"], kept["exit_code"]) == ("finished", 0)
    steps = front.steps(run.id)
    assert {step: steps[step]["scalars"] for step in steps} == {
        0: {"train/loss": 0.5, "lr": 3e-4}, 1: {"train/loss": 0.25, "lr": 3e-4}}
    assert all(steps[step]["time"] > 1.7e9 for step in steps)


def test_server_may_be_served_below_a_path(front, until):
    run = nnm.init(url=front.url + "/monitor/", exit_timeout=0, id="a/b")
    until(lambda: front.requests)
    assert front.requests[0].path == "/monitor/api/v2/runs/a%2Fb"
    run.finish()


def test_delivered_spool_is_removed(front):
    run = nnm.init(url=front.url)
    log_steps(run, 0, 10)
    assert run.directory.is_dir()
    nnm.finish()
    assert not run.directory.exists()


def test_records_of_one_step_are_joined_and_the_later_value_wins(front):
    run = nnm.init(url=front.url)
    run.log({"loss": 1.0, "lr": 0.1}, step=3)
    run.log({"loss": 2.0, "accuracy": 0.5}, step=3)
    run.log({"loss": 3.0}, step=4)
    run.finish()
    assert front.steps(run.id)[3]["scalars"] == {"loss": 2.0, "lr": 0.1, "accuracy": 0.5}


def test_step_is_sent_when_no_record_comes_any_more(front, until):
    run = nnm.init(url=front.url)
    run.log({"loss": 1.0}, step=3)
    until(lambda: front.steps(run.id).get(3))
    run.log({"accuracy": 0.5}, step=3)
    until(lambda: front.steps(run.id)[3]["scalars"] == {"loss": 1.0, "accuracy": 0.5})
    run.finish()
    assert front.steps(run.id)[3]["scalars"] == {"loss": 1.0, "accuracy": 0.5}


def test_record_of_a_lower_step_is_dropped_counted_and_warned_about_once(front, log_lines):
    run = nnm.init(url=front.url)
    run.log({"loss": 1.0}, step=5)
    run.log({"loss": 2.0}, step=4)
    run.log({"loss": 2.0}, step=3)
    run.log({"loss": 3.0}, step=6)
    run.finish()
    assert sorted(front.steps(run.id)) == [5, 6]
    assert len(log_lines("records of a lower step are dropped")) == 1
    assert log_lines("2 dropped because their step was lower")


def test_not_finite_numbers_arrive_spelled(front):
    run = nnm.init(url=front.url)
    run.log({"a": float("nan"), "b": float("inf"), "c": float("-inf"), "d": 1.0}, step=0)
    run.finish()
    assert front.steps(run.id)[0]["scalars"] == {"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": 1.0}


@pytest.mark.parametrize(("precision", "sent"), [(None, 0.123457), (3, 0.123), ("full", 0.12345678901234567)])
def test_floats_have_six_significant_digits_unless_asked_otherwise(front, precision, sent):
    run = nnm.init(url=front.url, precision=precision)
    run.log({"a": 0.12345678901234567, "b": 123456789}, step=0)
    run.finish()
    assert front.steps(run.id)[0]["scalars"] == {"a": sent, "b": 123456789}


def test_long_bodies_are_compressed_and_bounded(front):
    front.down()
    run = nnm.init(url=front.url)
    for step in range(2_500):
        run.log({f"some/longer/name/{place}": step + place / 7 for place in range(20)}, step=step)
    front.up()
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(2_500))
    bodies = [request for request in front.requests if request.path.endswith("/steps")]
    assert all(request.headers.get("content-encoding") == "gzip" for request in bodies if len(request.body) > 1_000)
    unpacked = [
        gzip.decompress(request.body) if "content-encoding" in request.headers else request.body for request in bodies]
    assert max(len(body) for body in unpacked) <= 500_000
    assert max(body.count(b"\n") for body in unpacked) <= 1_000
    assert len(bodies) < 20


def test_catching_up_leaves_training_its_share():
    """After a turn the sender pauses until its processor time is at most a fiftieth of the time that passed."""
    usual = Timing()
    for used in (0.0, 0.001, 0.03, 0.5):
        assert used <= usual.share * (used + rest(used, usual)) + 1e-9
    assert rest(0.0, usual) == usual.poll


def test_one_connection_is_kept(front, until):
    run = nnm.init(url=front.url)
    for step in range(20):
        run.log({"loss": 1.0}, step=step)
        until(lambda wanted=step: wanted - 1 in front.steps(run.id) or wanted == 0)
    run.finish()
    assert len(front._connections) <= 1


def test_server_that_is_down_at_start_gets_everything_later(front, until, log_lines):
    front.down()
    run = nnm.init(url=front.url)
    log_steps(run, 0, 50)
    until(lambda: log_lines("cannot be reached"))
    front.up()
    log_steps(run, 50, 100)
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(100))
    assert len(log_lines("cannot be reached")) == 1
    assert log_lines("accepts the records of run")


def test_server_that_goes_away_in_between_gets_everything(front, until):
    run = nnm.init(url=front.url)
    for begin in range(0, 90, 30):
        log_steps(run, begin, begin + 30)
        until(lambda wanted=begin + 28: wanted in front.steps(run.id))
        front.down()
        log_steps(run, begin + 30, begin + 31)
        front.up()
        run.log({"loss": 0.0}, step=begin + 30)
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(91))


@pytest.mark.parametrize("what", [
    {"reset_at": 0}, {"reset_at": 10}, {"reset_after": True}, {"status": 500}, {"status": 502}, {"status": 503},
    {"status": 429, "headers": {"Retry-After": "1"}}, {"status": 503, "headers": {"Retry-After": "0"}},
    {"status": 408},
], ids=str)
def test_fault_that_passes_loses_nothing(front, what):
    front.fault(2, method="POST", **what)
    front.fault(1, method="PUT", **what)
    run = nnm.init(url=front.url, name="faulty")
    log_steps(run, 0, 40)
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(40))
    assert front.run(run.id)["state"] == "finished"
    assert front.faults == []


def test_slow_server_does_not_hold_up_training(front, until):
    held = threading.Event()
    front.fault(1, method="POST", held=held)
    run = nnm.init(url=front.url)
    log_steps(run, 0, 10)
    until(lambda: any(request.method == "POST" for request in front.requests))
    log_steps(run, 10, 500)  # Every one of them returns although the server has not answered.
    assert not held.is_set()
    held.set()
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(500))


REFUSALS = [
    (401, {"detail": {"error": "unauthorized", "message": "no token"}}, "token=, NN_MONITOR_TOKEN"),
    (403, {"detail": {"error": "forbidden", "message": "scope"}}, "scope ingest"),
    (404, {"detail": "Not Found"}, "has no /api/v2"),
    (301, {}, "redirects"),
]


@pytest.mark.parametrize(("status", "body", "remedy"), REFUSALS, ids=[str(row[0]) for row in REFUSALS])
def test_permanent_refusal_is_logged_once_with_its_remedy_and_passes_when_it_is_mended(
        front, until, log_lines, status, body, remedy):
    front.fault(10_000, status=status, body=body)
    run = nnm.init(url=front.url, token="secret-token")
    log_steps(run, 0, 20)
    until(lambda: log_lines(remedy))
    until(lambda: len(front.requests) > 3)
    assert len(log_lines(remedy)) == 1
    front.clear()
    log_steps(run, 20, 40)
    until(lambda: 38 in front.steps(run.id))
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(40))
    assert not log_lines("secret-token")


def test_refusal_of_another_kind_is_logged_too(front, until, log_lines):
    """After a wrong token, a token without the scope: the first sentence would send the user the wrong way."""
    front.fault(1, status=401, body={"detail": {"error": "unauthorized", "message": "no token"}})
    front.fault(3, status=403, body={"detail": {"error": "forbidden", "message": "scope"}})
    run = nnm.init(url=front.url)
    log_steps(run, 0, 20)
    run.log({"loss": 0.0}, step=20)
    until(lambda: log_lines("needs the scope ingest"))
    until(lambda: not front.faults)
    run.finish()
    assert len(log_lines("does not accept the token")) == len(log_lines("needs the scope ingest")) == 1
    assert sorted(front.steps(run.id)) == list(range(21))


def test_permanent_refusal_does_not_hold_up_the_end(front, until, log_lines):
    front.fault(10_000, status=401, body={"detail": {"error": "unauthorized", "message": "no"}})
    run = nnm.init(url=front.url)
    log_steps(run, 0, 20)
    run.finish()  # With the deadline of the fixtures this would wait for a minute.
    assert log_lines("nnmonitor sync")
    assert run.directory.is_dir()


def test_retry_after_beyond_the_deadline_does_not_hold_up_the_end(front, until, log_lines):
    front.fault(10_000, status=429, headers={"Retry-After": "3600"})
    run = nnm.init(url=front.url)
    log_steps(run, 0, 20)
    until(lambda: log_lines("answers 429"))
    asked = len(front.requests)
    run.finish()
    assert len(front.requests) <= asked + 2
    assert run.directory.is_dir()


def test_body_that_is_too_large_is_halved_down_to_one_step(front, log_lines):
    front.down()
    run = nnm.init(url=front.url)
    log_steps(run, 0, 8)
    run.log({f"name{place}": 1.5 for place in range(900)}, step=8)
    log_steps(run, 9, 12)

    class Narrow(type(front.backend)):
        def ask(self, method, path, headers, body):
            plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            if path.endswith("/steps") and method == "POST" and len(plain) > 300:
                return 413, {}, b'{"detail":{"error":"payload_too_large","message":"too large"}}'
            return super().ask(method, path, headers, body)

    front.backend.__class__ = Narrow
    front.up()
    run.finish()
    assert sorted(front.steps(run.id)) == [step for step in range(12) if step != 8]
    assert len(log_lines("step 8 has")) == 1 and log_lines("client_max_body_size")
    assert log_lines("1 rejected by the server")


def test_line_that_is_rejected_is_named_and_the_others_are_kept(front, log_lines):
    run = nnm.init(url=front.url)
    log_steps(run, 0, 3)
    run.log({f"name{place}": 1 for place in range(1_001)}, step=3)
    log_steps(run, 4, 6)
    run.finish()
    assert sorted(front.steps(run.id)) == [0, 1, 2, 4, 5]
    assert len(log_lines("step 3 was rejected")) == 1


def test_field_of_the_run_that_is_refused_does_not_cost_the_others(front, log_lines):
    detail = [{"type": "too_long", "loc": ["body", "config"], "msg": "too long after merging"}]
    front.fault(1, method="PUT", status=422, body={"detail": detail})
    run = nnm.init(url=front.url, project="p", config={"a": 1})
    run.finish()
    assert front.run(run.id)["project"] == "p" and not front.run(run.id)["config"]
    assert len(log_lines("rejects the run's config")) == 1


@pytest.mark.parametrize("what", [
    {"status": 500}, {"status": 429, "headers": {"Retry-After": "0"}}, {"reset_at": 5}, {"reset_after": True},
], ids=str)
def test_training_gives_the_same_result_as_without_the_client(front, until, what):
    """Above all, retries take no random numbers from the program's generators."""

    def train(log):
        random.seed(7)
        numpy.random.seed(7)
        weight = 1.0
        for step in range(200):
            weight -= 0.01 * (weight * random.random() + numpy.random.rand())
            log({"weight": weight}, step)
        return weight, random.getstate(), numpy.random.get_state()[1].tolist()

    alone = train(lambda *_: None)
    front.fault(5, **what)
    run = nnm.init(url=front.url)

    def log(data, step):
        run.log(data, step=step)
        if step == 100:
            until(lambda: not front.faults)

    assert train(log) == alone
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(200))


def test_alert_reaches_the_server_in_the_words_of_wandb(front):
    run = nnm.init(url=front.url)
    run.log({"loss": 1.0}, step=7)
    nnm.alert("Loss is high", text="It is 1.0", level="WARN")
    run.finish()
    if not front.real:
        assert front.reference.runs[run.id].alerts == [
            {"level": "warning", "title": "Loss is high", "text": "It is 1.0", "step": 7}]


def test_run_id_may_hold_any_character(front):
    run = nnm.init(url=front.url, id="a/b ü%?#")
    run.log({"loss": 1.0}, step=0)
    run.finish()
    assert sorted(front.steps("a/b ü%?#")) == [0]
