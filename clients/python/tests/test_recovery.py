"""Runs that go on: after a server that lost them, in a later process, under the same id."""

import os
import random
import time

import pytest

import nnmonitor as nnm
from nnmonitor.delivery import courier


def log_steps(run, first, last):
    for step in range(first, last):
        run.log({"loss": 1 / (step + 1)}, step=step)


def test_server_that_has_forgotten_the_run_gets_all_of_it_again(front, until, log_lines):
    run = nnm.init(url=front.url, project="p", name="n", config={"a": 1}, tags=["t"])
    log_steps(run, 0, 50)
    run.config["b"] = 2
    until(lambda: 48 in front.steps(run.id))
    front.forget(run.id)
    log_steps(run, 50, 60)
    until(lambda: 58 in front.steps(run.id) and 0 in front.steps(run.id))
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(60))
    kept = front.run(run.id)
    assert (kept["project"], kept["name"], kept["tags"], kept["config"]) == ("p", "n", ["t"], {"a": 1, "b": 2})
    assert kept["state"] == "finished"
    assert len(log_lines("no longer has all of run")) == 1


def test_server_that_is_restarted_with_nothing_in_memory_has_all_in_the_end(secure, made, until):
    front = secure()
    run = nnm.init(url=front.url, ca=str(made["authority"].certificate), name="n")
    for begin in (0, 40, 80):
        log_steps(run, begin, begin + 40)
        until(lambda wanted=begin + 38: wanted in front.steps(run.id))
        front.down()
        front.forget(run.id)
        front.up()
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(120))
    assert front.run(run.id)["name"] == "n" and front.run(run.id)["state"] == "finished"


def test_lost_steps_are_noticed_although_more_came_since(front, until):
    """A batch longer than what was lost: `last_seq` is higher than before, but lower than it must be."""
    run = nnm.init(url=front.url)
    log_steps(run, 0, 3)
    until(lambda: 2 in front.steps(run.id))
    front.down()
    front.forget(run.id)
    log_steps(run, 3, 30)
    front.up()
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(30))


def test_heartbeat_finds_out_that_the_run_was_forgotten(front, until, monkeypatch):
    monkeypatch.setattr(nnm.timing.TIMING, "heartbeat", 0.05)
    run = nnm.init(url=front.url, name="n")
    log_steps(run, 0, 5)
    until(lambda: 4 in front.steps(run.id))
    front.forget(run.id)
    until(lambda: sorted(front.steps(run.id)) == list(range(5)))
    assert front.run(run.id)["name"] == "n"
    run.finish()


def test_run_forgotten_just_before_the_end_is_whole_in_the_end(front, until):
    run = nnm.init(url=front.url, name="n")
    log_steps(run, 0, 5)
    until(lambda: 4 in front.steps(run.id))
    front.forget(run.id)
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(5))
    assert front.run(run.id)["state"] == "finished"


def test_same_id_continues_the_run_and_resume_from_drops_what_came_after(front):
    first = nnm.init(url=front.url, id="again", config={"a": 1})
    log_steps(first, 0, 10)
    first.finish()
    second = nnm.init(url=front.url, id="again", config={"b": 2}, resume_from=6)
    assert second.step == 6
    second.log({"loss": 9.0})
    second.finish()
    assert sorted(front.steps("again")) == [0, 1, 2, 3, 4, 5, 6]
    assert front.steps("again")[6]["scalars"] == {"loss": 9.0}
    assert front.run("again")["config"] == {"a": 1, "b": 2}


@pytest.mark.parametrize(("given", "step"), [(6, 6), ("again?_step=6", 6), (-1, 0), ("later", 0)])
def test_resume_from_takes_a_step_or_the_words_of_wandb(front, given, step, log_lines):
    run = nnm.init(url=front.url, id="again", resume_from=given)
    assert run.step == step
    run.finish()
    assert bool(log_lines("is ignored: it must be a step")) == (step == 0)


def test_left_spool_is_sent_by_the_next_process_before_its_own_steps(front, until):
    front.down()
    first = nnm.init(url=front.url, id="r", exit_timeout=0)
    log_steps(first, 0, 10)
    first.finish()
    other = nnm.init(url=front.url, id="other", exit_timeout=0)
    log_steps(other, 0, 3)
    other.finish()
    assert len(os.listdir(first.directory.parent)) == 2
    front.up()
    # A sender that is still in its last request frees the lock when that fails.
    until(lambda: not first._outlet.sender.alive and not other._outlet.sender.alive)
    second = nnm.init(url=front.url, id="r", resume_from=8)
    second.log({"loss": 5.0}, step=8)
    second.finish()
    steps = front.steps("r")
    assert sorted(steps) == list(range(9))
    assert steps[8]["scalars"] == {"loss": 5.0}


def test_left_spool_of_another_run_that_is_refused_does_not_hold_up_this_run(front, until):
    front.down()
    other = nnm.init(url=front.url, id="other", exit_timeout=0)
    log_steps(other, 0, 3)
    other.finish()
    until(lambda: not other._outlet.sender.alive)
    front.up()
    front.fault(1_000, ends_with="/runs/other", status=403, body={})
    run = nnm.init(url=front.url, id="r")
    log_steps(run, 0, 5)
    until(lambda: [request for request in front.requests if request.path.endswith("/runs/other")])
    log_steps(run, 5, 10)
    run.finish()
    assert sorted(front.steps("r")) == list(range(10))
    assert other.directory.is_dir()
    front.clear()
    second = nnm.init(url=front.url, id="r")
    until(lambda: sorted(front.steps("other")) == [0, 1, 2])
    second.finish()


def test_error_in_the_sender_itself_stops_nothing(front, monkeypatch, log_lines):
    turn, errors = courier.Courier.turn, [RuntimeError("first"), RuntimeError("second")]

    def failing(*arguments, **options):
        if errors:
            raise errors.pop()
        return turn(*arguments, **options)

    monkeypatch.setattr(courier.Courier, "turn", failing)
    run = nnm.init(url=front.url)
    log_steps(run, 0, 20)
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(20))
    assert len(log_lines("Please report this")) == 1


@pytest.mark.parametrize("seed", range(8))
def test_any_sequence_of_faults_loses_nothing(front, seed):
    """Faults of all passing kinds, lost runs and an absent server, in an order that the seed gives."""
    chance = random.Random(seed)
    what = [
        {"status": 500}, {"status": 503, "headers": {"Retry-After": "0"}}, {"status": 429}, {"status": 401, "body": {}},
        {"reset_at": 0}, {"reset_at": 40}, {"reset_after": True},
    ]
    run = nnm.init(url=front.url, name="n", config={"a": 1})
    away = False
    for step in range(400):
        run.log({"loss": step / 7}, step=step)
        if chance.random() < 0.2:
            run.log({"more": step}, step=step)
        if not front.faults and chance.random() < 0.2:
            front.fault(chance.randint(1, 3), **chance.choice(what))
        if chance.random() < 0.02:
            front.forget(run.id)
        if chance.random() < 0.04:
            front.up() if away else front.down()
            away = not away
        if chance.random() < 0.2:
            time.sleep(chance.random() * 0.03)  # So that the sender meets different moments; nothing depends on it.
    front.clear()
    if away:
        front.up()
    run.finish()
    steps = front.steps(run.id)
    assert sorted(steps) == list(range(400))
    assert all(steps[step]["scalars"]["loss"] == float(f"{step / 7:.6g}") for step in steps)
    kept = front.run(run.id)
    assert (kept["name"], kept["config"], kept["state"]) == ("n", {"a": 1}, "finished")
