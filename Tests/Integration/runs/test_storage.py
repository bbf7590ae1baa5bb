"""The store's state after posts: order, limits, eviction, times, names, numbers."""

import json
import math
import random
import re
import struct
from datetime import datetime, timedelta, timezone

import pytest
from websockets.sync.client import connect

from Support.clients.ingest import Raw, accept, changed, encode, get, kept_run, kept_steps, post
from Support.payloads import payload, run_id, served

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


def listing(server) -> dict:
    response = get(server, "/api/v1/runs")
    assert response.status_code == 200
    return response.json()


def numbers(server, run: str) -> list[int]:
    return [step["step"] for step in kept_steps(server, run)]


# Steps

def test_steps_are_sorted_however_they_arrive(server):
    run = run_id("sorted")
    order = list(range(40)) + [2**40, 2**63 - 1]
    random.Random(1).shuffle(order)
    for step in order:
        accept(server, payload(run, step, layers=1))
    assert numbers(server, run) == sorted(order)
    assert listing(server)[run]["step_count"] == len(order)
    assert listing(server)[run]["latest_step"] == 2**63 - 1


@pytest.mark.parametrize("step", [0, 3, 6], ids=["first", "middle", "last"])
def test_the_same_step_again_replaces_the_old_one_in_place(server, step):
    run = run_id("replaced")
    posted = [payload(run, number) for number in (0, 3, 6)]
    for item in posted:
        accept(server, item)
    replacement = payload(run, step, layers=3, seed=99)  # with another structure too
    accept(server, replacement)
    expected = [served(replacement if item["metadata"]["global_step"] == step else item) for item in posted]
    assert kept_steps(server, run) == expected
    assert listing(server)[run]["step_count"] == 3
    accept(server, posted[[0, 3, 6].index(step)])
    assert kept_steps(server, run) == [served(item) for item in posted]


def test_the_structure_of_a_run_may_change_from_step_to_step(server):
    run = run_id("structure")
    posted = [payload(run, step, layers=1 + step % 4) for step in range(12)]
    posted[5]["layer_statistics"][0]["layer_type"] = "Conv2d"
    posted[6]["layer_statistics"][0]["intermediate_features"]["activation_shape"] = [1, 2, 3, 4]
    posted[7]["metadata"]["layer_groups"] = {"g": ["block0.fc"]}
    posted[8]["layer_statistics"][0]["parameter_statistics"]["bias"] = None
    for item in posted:
        accept(server, item)
    assert kept_steps(server, run) == [served(item) for item in posted]


# Limits

def test_over_the_limit_of_steps_the_highest_stay(start_server):
    server = start_server("--max-steps-per-run", 10)
    run = run_id("full")
    order = list(range(25))
    random.Random(2).shuffle(order)
    for step in order:
        accept(server, payload(run, step, layers=1))
    assert numbers(server, run) == list(range(15, 25))
    assert listing(server)[run]["step_count"] == 10
    assert listing(server)[run]["latest_step"] == 24


def test_a_full_run_takes_a_step_between_and_a_replacement(start_server):
    server = start_server("--max-steps-per-run", 10)
    run = run_id("full")
    for step in range(0, 100, 10):
        accept(server, payload(run, step, layers=1))
    accept(server, payload(run, 35, layers=1))
    assert numbers(server, run) == [10, 20, 30, 35, 40, 50, 60, 70, 80, 90]
    replacement = payload(run, 10, layers=1, seed=77)
    accept(server, replacement)
    assert numbers(server, run) == [10, 20, 30, 35, 40, 50, 60, 70, 80, 90]
    assert kept_steps(server, run)[0] == served(replacement)


def test_a_step_below_all_of_a_full_run_is_accepted_and_broadcast_and_not_kept(start_server):
    server = start_server("--max-steps-per-run", 10)
    run = run_id("full")
    for step in range(10, 20):
        accept(server, payload(run, step, layers=1))
    before = kept_run(server, run)
    with connect(server.ws_url, proxy=None) as socket:
        assert json.loads(socket.recv(10))["type"] == "initial_runs"
        low = payload(run, 9, layers=1)
        accept(server, low)
        message = json.loads(socket.recv(10))
    assert message["type"] == "new_metrics" and message["run_id"] == run
    assert message["data"] == served(low)
    after = kept_run(server, run)
    assert after["steps"] == before["steps"]
    assert after["last_update"] > before["last_update"]
    assert get(server, f"/api/v1/runs/{run}/latest").json()["step"] == 19


def test_a_new_run_evicts_the_one_updated_longest_ago(start_server):
    server = start_server("--max-runs", 3)
    for run in ("a", "b", "c", "a"):
        accept(server, payload(run, random.getrandbits(30)))
    accept(server, payload("d"))
    assert list(listing(server)) == ["a", "c", "d"]
    accept(server, payload("c"))
    accept(server, payload("b", 5))
    assert list(listing(server)) == ["c", "d", "b"]
    assert get(server, "/api/v1/runs/a").status_code == 404
    assert numbers(server, "b") == [5]  # none of its earlier steps
    accept(server, payload("d", 7))
    assert list(listing(server)) == ["c", "d", "b"]


def test_the_only_run_allowed_gives_way_to_the_next(start_server):
    server = start_server("--max-runs", 1)
    for run in ("a", "b", "c"):
        accept(server, payload(run))
        assert list(listing(server)) == [run]


def test_over_the_limit_of_memory_the_oldest_runs_are_evicted(start_server):
    server = start_server("--max-memory", 500_000, "--max-runs", 100)
    runs = [f"run{index}" for index in range(12)]
    for run in runs:
        for step in range(10):  # 100 layers of 16 doubles: more than 120 kB a run
            accept(server, payload(run, step, layers=100))
    kept = list(listing(server))
    assert kept == runs[len(runs) - len(kept):], "the latest stay"
    assert 1 <= len(kept) <= 4
    assert numbers(server, runs[-1]) == list(range(10))


# Times

def test_created_at_is_fixed_and_last_update_moves_with_every_post(server):
    run = run_id("times")
    start = datetime.now(timezone.utc)
    seen = []
    for step in (1, 2, 1, 0):  # new, new, replaced, lower
        accept(server, payload(run, step))
        seen.append(listing(server)[run])
    end = datetime.now(timezone.utc)
    assert len({item["created_at"] for item in seen}) == 1
    updates = [item["last_update"] for item in seen]
    assert updates == sorted(set(updates)), "each later than the one before"
    for text in [seen[0]["created_at"], *updates]:
        assert TIME.fullmatch(text)
        tolerance = timedelta(milliseconds=50)
        assert start - tolerance <= datetime.fromisoformat(text) <= end + tolerance
    assert seen[0]["created_at"] <= updates[0]
    whole = kept_run(server, run)
    assert (whole["created_at"], whole["last_update"]) == (seen[-1]["created_at"], updates[-1])


def test_a_refused_post_moves_nothing(server):
    run = run_id("refused")
    accept(server, payload(run))
    before = listing(server)[run]
    assert post(server, changed(payload(run, 1), ("metadata", "batch_size"), 0)).status_code == 422
    assert listing(server)[run] == before


# Names

def test_dots_become_slashes_in_layer_ids_and_group_members_only(server):
    run = run_id("with.dots")
    posted = payload(run, layers=1)
    posted["layer_statistics"][0].update(layer_id=".a..b/c.", layer_type="torch.nn.Linear")
    posted["metadata"]["layer_groups"] = {"group.one": ["a.b", "c/d", "..."]}
    posted["cross_layer_analysis"]["gradient_norm_ratio"] = {"a.b/c.d": 1.5}
    assert accept(server, posted)["run_id"] == run
    step, = kept_steps(server, run)
    assert step["layers"][0]["layer_id"] == "/a//b/c/"
    assert step["layers"][0]["layer_type"] == "torch.nn.Linear"
    assert step["layer_groups"] == {"group.one": ["a/b", "c/d", "///"]}
    assert step["cross_layer"]["gradient_norm_ratio"] == {"a.b/c.d": 1.5}
    assert run in listing(server)


# Numbers

def bits(value) -> bytes:
    return struct.pack("<d", value)


EXACT = [
    "1e-320", "5e-324", "-5e-324", "2.2250738585072014e-308", "2.2250738585072011e-308", "-0.0", "-0", "0", "0.0",
    "0.1", "0.30000000000000004", "1.7976931348623157e308", "-1.7976931348623157e308", "1e308", "123456789012345678",
    "9007199254740993", "-9007199254740993", "9007199254740992.5", "12345678901234567890123", "1e22", "1e23",
    "8.5e22", "3.141592653589793", "2.718281828459045235360287471352662497757", "1", "-7", "1E5", "1e+5", "1.5e-5",
    "0.000001", "0.0000001", "100000000000000000000", "1000000000000000", "1e15", "1e16", "1e17", "4.35", "1e-400",
    "0." + "0" * 400 + "1", "1" + "0" * 300, "0.5" + "0" * 500, "179769313486231580793728971405301e276",
    "1.00000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203124",
    "1.00000000000000011102230246251565404236316680908203126", "6.631236846766476e-316", "9.5367431640625e-07",
]


def test_every_number_comes_back_with_its_exact_value(server):
    generator = random.Random(3)
    texts = list(EXACT)
    while len(texts) < 600:
        value = struct.unpack("<d", generator.randbytes(8))[0]
        if math.isfinite(value):
            texts.append(generator.choice([repr(value), f"{value:.16e}", f"{value:.17g}"]))
    posted = payload(run_id("numbers"), layers=1)
    posted["cross_layer_analysis"]["gradient_norm_ratio"] = {text: Raw(text) for text in texts}
    accept(server, posted)
    step, = kept_steps(server, posted["metadata"]["run_id"])
    wrong = {
        text: value for text, value in step["cross_layer"]["gradient_norm_ratio"].items()
        if bits(float(text)) != bits(value)
    }
    assert wrong == {}
    assert len(step["cross_layer"]["gradient_norm_ratio"]) == len(set(texts))


@pytest.mark.parametrize("text", ["1e-320", "-0.0", "0.30000000000000004", "7", "1.7976931348623157e308", "1e2"])
def test_every_float_of_a_step_keeps_its_exact_value(server, text):
    posted = payload(run_id("exact"), layers=2)
    posted["metadata"]["timestamp"] = Raw("1770000000.1234567")

    def all_floats(value):
        if isinstance(value, dict):
            return {key: all_floats(item) for key, item in value.items()}
        if isinstance(value, list):
            return [all_floats(item) for item in value]
        return Raw(text) if isinstance(value, float) else value

    posted = all_floats(posted)
    accept(server, posted)
    expected = served(json.loads(encode(posted)))
    step, = kept_steps(server, posted["metadata"]["run_id"])
    assert step == expected
    assert step["timestamp"] == 1770000000.1234567

    def signs(value):
        if isinstance(value, dict):
            return [sign for item in value.values() for sign in signs(item)]
        if isinstance(value, list):
            return [sign for item in value for sign in signs(item)]
        return [math.copysign(1, value)] if isinstance(value, (int, float)) else []

    # `==` does not distinguish -0.0 from 0.0.
    assert signs(step) == signs(expected)


def test_a_timestamp_may_be_an_integer(server):
    posted = payload(run_id("timestamp"))
    posted["metadata"]["timestamp"] = 1770000000
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"])[0]["timestamp"] == 1770000000
