"""Nothing is lost and training is unharmed, whatever happens between the client and the real server, over TLS."""

import os
import random

import pytest

from nnmonitor.cli import main

learning = pytest.importorskip("support.learning", reason="training needs PyTorch", exc_type=ImportError)
STEPS = 60


def test_undisturbed_training_arrives_whole(server, begin, alone):
    run = begin(server, project="p", name="n", config={"lr": 0.05}, tags=["t"], notes="words", group="g")
    assert learning.monitored(run, STEPS) == alone
    run.alert("Loss is high", text="It is 1.0", level="WARN")
    run.finish()
    learning.assert_whole(server, run, STEPS)
    kept = server.run(run.id)
    assert (kept["project"], kept["name"], kept["group"], kept["tags"]) == ("p", "n", "g", ["t"])
    assert (kept["config"], kept["notes"], kept["exit_code"]) == ({"lr": 0.05}, "words", 0)
    alerts = [event for event in kept["events"] if event["type"] == "alert"]
    assert [(alert["title"], alert["level"]) for alert in alerts] == [("Loss is high", "warning")]
    head = kept["layers"][-1]
    assert (head["id"], head["type"], head["shape"], head["parameters"]) == ("head", "Linear", [16, 1], 13)


def test_server_killed_and_restarted_with_nothing_in_memory(server, begin, alone, log_lines):
    run = begin(server, name="n", config={"a": 1})

    def disturb(step):
        if step in (20, 40):
            server.wait_for_steps(run.id, range(step - 1))
            server.kill()
        if step in (30, 40):
            server.start()

    assert learning.monitored(run, STEPS, disturb) == alone
    run.finish()
    learning.assert_whole(server, run, STEPS)
    assert server.run(run.id)["config"] == {"a": 1}
    assert log_lines("no longer has all of run")


def test_server_down_at_start(server, begin, alone, log_lines):
    server.kill()
    run = begin(server)
    assert learning.monitored(run, STEPS, lambda step: server.start() if step == 30 else None) == alone
    run.finish()
    learning.assert_whole(server, run, STEPS)
    assert len(log_lines("cannot be reached")) == 1


def test_server_down_for_the_whole_run(server, begin, alone, log_lines, trust, monkeypatch):
    server.kill()
    run = begin(server, exit_timeout=0.2)
    assert learning.monitored(run, STEPS) == alone
    run.finish()
    assert log_lines(f"nnmonitor sync {run.directory.parent}")
    server.start()
    monkeypatch.setenv("NN_MONITOR_TOKEN", server.token)
    # The sender's last request may still be under way, and then the spool is still locked.
    while run._outlet.sender.alive:
        pass
    assert main(["sync", "--ca", trust(server)["ca"], str(run.directory.parent)]) == 0
    learning.assert_whole(server, run, STEPS)
    assert not run.directory.exists()


def test_connections_reset_in_the_middle_of_a_body(server, begin, cutting, alone, until):
    """The bodies are large, and none of those that were cut counts: each step arrives once, and in order."""
    proxy = cutting(server, [2_500, 4_000, 9_000, 30_000, 60_000])
    run = begin(server, proxy.url, precision="full")
    chance = random.Random(0)

    def disturb(step):
        # What gzip cannot make small.
        run.log({f"filler/{place}": chance.random() for place in range(200)}, step=step)

    assert learning.monitored(run, STEPS, disturb) == alone
    run.finish()
    learning.assert_whole(server, run, STEPS)
    assert proxy.cuts == [] and len(proxy.cut) == 5
    seqs = [step["seq"] for _, step in sorted(server.steps(run.id).items())]
    assert seqs == sorted(seqs)


REFUSALS = {
    401: "set one with the scope ingest",
    403: "the token needs the scope ingest",
    413: None,
    422: None,
    429: "answers 429",
    500: "answers 500",
    503: "answers 503",
}


@pytest.mark.parametrize("status", REFUSALS)
def test_status_of_a_proxy_in_between(server, begin, faulty, alone, until, log_lines, status):
    proxy = faulty(server)
    run = begin(server, proxy.url)
    times = 6 if status == 413 else 3

    def disturb(step):
        if step == 10:
            server.wait_for_steps(run.id, range(8))
            proxy.fault(times, method="POST", ends_with="/steps", status=status, headers={"Retry-After": "0"})
        if step == 50:
            until(lambda: not proxy.faults)

    assert learning.monitored(run, STEPS, disturb) == alone
    run.finish()
    if status == 413:
        # A body of one step that is too large is refused for good, and named; it was halved down to that.
        named = log_lines("more than the server or a proxy accepts")
        missing = set(range(STEPS)) - set(server.steps(run.id))
        assert len(named) == len(missing) and all(f"step {step} has" in " ".join(named) for step in missing)
    else:
        learning.assert_whole(server, run, STEPS)
    if REFUSALS[status]:
        assert len(log_lines(REFUSALS[status])) == 1


def test_body_that_is_too_large_for_the_server(serve, begin, alone, log_lines):
    """A batch over the server's limit is halved; a step over it is refused for good, and named."""
    server = serve(max_batch_size=100_000, max_request_size=100_000)
    server.kill()
    run = begin(server, precision="full")
    chance = random.Random(0)

    def disturb(step):
        run.log({f"filler/{place}": chance.random() for place in range(900 if step != 30 else 1)}, step=step)
        if step == 30:
            run.log({f"{place:0100}": chance.random() for place in range(999)}, step=step)

    assert learning.monitored(run, STEPS, disturb) == alone
    server.start()
    run.finish()
    assert sorted(set(range(STEPS)) - set(server.steps(run.id))) == [30]
    assert len(log_lines("step 30 has")) == 1


def test_line_that_the_server_rejects(serve, begin, alone, log_lines):
    server = serve(max_scalars=5)
    run = begin(server)

    def disturb(step):
        if step == 30:
            run.log({f"more/{place}": 1.0 for place in range(6)}, step=step)

    assert learning.monitored(run, STEPS, disturb) == alone
    run.finish()
    assert sorted(set(range(STEPS)) - set(server.steps(run.id))) == [30]
    assert len(log_lines("step 30 was rejected: scalars")) == 1


def test_configuration_that_the_server_rejects(server, begin, log_lines):
    """Each part fits, but not both merged: the server answers 422, and the first part stays."""
    run = begin(server, config={"first": "a" * 15_000, **{f"more{place}": "b" * 15_000 for place in range(12)}})
    run.config.update({f"other{place}": "c" * 15_000 for place in range(12)})
    run.log({"loss": 1.0}, step=0)
    run.finish()
    kept = server.run(run.id)
    assert "more11" in kept["config"] and "other0" not in kept["config"]
    assert kept["state"] == "finished" and sorted(server.steps(run.id)) == [0]
    assert len(log_lines("rejects the run's config")) == 1


def test_server_that_is_busy_with_other_bodies(serve, begin, alone, until, log_lines):
    server = serve(max_request_size=100_000, max_batch_size=100_000, max_body_memory=200_000)
    run = begin(server)
    held = []

    def disturb(step):
        if step == 10:
            held.extend(server.hold_body(95_000) for _ in range(2))
        if step == 30:
            until(lambda: log_lines("answers 503"))
            for one in held:
                one.close()

    assert learning.monitored(run, STEPS, disturb) == alone
    run.finish()
    learning.assert_whole(server, run, STEPS)


def test_network_that_becomes_nan_trains_on_and_shows_it_at_its_step(server, begin):
    run = begin(server)
    losses, _, _ = learning.train(
        STEPS, lambda model: run.watch(model, every=1), lambda data, step: run.log(data, step=step), rate=1e4)
    run.finish()
    kept = server.steps(run.id)
    assert sorted(kept) == list(range(STEPS))
    finite = [losses[step] not in ("nan", "inf") for step in range(STEPS)]
    assert finite[0] and not finite[-1]
    for step in range(STEPS):
        seen = kept[step]["scalars"]["train/loss"]
        assert (seen in ("NaN", "Infinity")) == (not finite[step]), step
    last = kept[STEPS - 1]
    assert last["scalars"]["train/loss"] == "NaN"
    assert "NaN" in last["metrics"]["weight_frobenius_norm"] and max(last["metrics"]["nonfinite_count"]) > 0
    assert server.run(run.id)["state"] == "finished"


def test_spool_at_its_bound_is_thinned_and_the_rest_arrives(server, begin, alone, tmp_path):
    """What is dropped is counted; all that the spool still holds is on the server in the end."""
    server.kill()
    run = begin(server, spool_bytes=1_000_000, precision="full")
    chance = random.Random(0)

    def disturb(step):
        run.log({f"filler/{place}": chance.random() for place in range(900)}, step=step)

    assert learning.monitored(run, STEPS, disturb) == alone
    server.start()
    run.finish()
    arrived = server.steps(run.id)
    dropped = run._outlet.courier.thinned
    assert dropped > 0 and len(arrived) + dropped == STEPS
    assert STEPS - 1 in arrived
    assert sum(os.path.getsize(path) for path in run.directory.glob("*.jsonl")) == 0
