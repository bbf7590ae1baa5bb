"""Subscribers that are cut off, or read too slowly, while steps arrive."""

import random

import pytest
from Support.clients.live import DEFLATE, LiveSocket
from Support.clients.openwire import accept_lines, accept_steps, read_steps
from Support.clients.runs import path, put, send
from Support.load.threads import Threads
from Support.payloads import run_id


class Ledger:
    """What a subscriber has received of one run. It requires that no step comes twice or is left out."""

    def __init__(self, run: str):
        self.run = run
        # The highest `seq` that was received in order.
        self.seq = 0
        self.received: set[int] = set()
        self.held: dict[int, dict] = {}
        self.layers: dict[str, list] = {}

    def subscribe(self, socket: LiveSocket, **message):
        socket.say({"action": "subscribe_run", "run_id": self.run, "since_seq": self.seq, "form": "columns", **message})

    def read(self, socket: LiveSocket, until: int):
        """Reads the history that was asked for, and then steps until this `seq`."""
        while (message := socket.read_json())["type"] != "run_history":
            # Steps of before are in the history.
            if message["type"] == "structure":
                self._learn(message)
        assert message["reset"] is False
        for step in message["data"]["steps"]:
            assert step["seq"] > self.seq, "a history is in seq order"
            self._keep(step)
        assert message["data"]["last_seq"] >= self.seq
        self.seq = message["data"]["last_seq"]
        while self.seq < until:
            self.take(socket.read_json())

    def take(self, message: dict):
        """Takes a live message."""
        if message["type"] == "structure":
            self._learn(message)
        elif message["type"] == "step":
            assert message["seq"] == message["data"]["seq"] == self.seq + 1, "each step comes, in order"
            self._keep(message["data"])

    def _learn(self, message: dict):
        assert message["structure"] not in self.layers, "layers come once for each connection"
        self.layers[message["structure"]] = message["layers"]

    def _keep(self, step: dict):
        assert step["seq"] not in self.received
        self.seq = step["seq"]
        self.received.add(step["seq"])
        step = dict(step)
        if "structure" in step:
            step["layers"] = self.layers[step.pop("structure")]
        self.held[step["step"]] = step


def write(server, run: str, steps: list[dict], rng: random.Random):
    """Posts steps singly and in batches."""
    while steps:
        size = 1 if rng.random() < 0.4 else rng.randrange(2, 60)
        if size == 1:
            accept_steps(server, run, steps[0])
        else:
            answer = accept_lines(server, run, steps[:size])
            assert answer["accepted"] == len(steps[:size])
        steps = steps[size:]


def random_steps(count: int, rng: random.Random) -> list[dict]:
    """Steps in any order near each other, some of which replace earlier ones."""
    numbers = []
    for index in range(count):
        numbers.append(rng.choice(numbers[-500:]) if numbers and rng.random() < 0.1 else index + rng.randrange(20))
    steps = []
    for index, number in enumerate(numbers):
        step = {"step": number, "time": index + 1, "scalars": {"index": index}}
        if rng.random() < 0.5:
            step |= {"layers": ["a.b", f"l{index // 1000}"], "metrics": {"m": [index, None]}}
        steps.append(step)
    return steps


def cut_and_resume(server, run: str, steps: list[dict], cuts: int, **message) -> Ledger:
    """Posts steps while a subscriber's connection is cut again and again; at the end it has read everything."""
    rng = random.Random(len(steps))
    put(server, run, {}, 201)
    ledger = Ledger(run)
    portion = -(-len(steps) // (cuts + 1))
    for turn in range(cuts + 1):
        posted = min((turn + 1) * portion, len(steps))
        writer = Threads()
        writer.start(write, server, run, steps[turn * portion:posted], random.Random(turn))
        socket = LiveSocket(server, offer=rng.choice([None, DEFLATE]), timeout=60)
        # The layers come again on each connection.
        ledger.layers.clear()
        ledger.subscribe(socket, **message)
        if turn == cuts:
            ledger.read(socket, until=len(steps))
        elif rng.random() < 0.9:
            ledger.read(socket, until=rng.randint(ledger.seq, posted))
        # Otherwise the connection is cut while the history is on its way.
        socket.reset()
        writer.join()
    return ledger


def must_be_complete(server, ledger: Ledger, steps: list[dict]):
    """The subscriber holds what the server keeps, and missed only versions that were replaced."""
    kept = {step["step"]: step for step in read_steps(server, ledger.run)}
    assert ledger.seq == len(steps) and ledger.held == kept
    missed = set(range(1, len(steps) + 1)) - ledger.received
    assert not missed & {step["seq"] for step in kept.values()}


def test_a_subscriber_that_is_cut_100_times_ends_with_the_state_of_the_server(start_server):
    server = start_server("--max-steps-per-run", 20_000)
    steps = random_steps(10_000, random.Random(14))
    assert len({step["step"] for step in steps}) < 9_900, "some steps replace older ones"
    ledger = cut_and_resume(server, "cut", steps, 100)
    must_be_complete(server, ledger, steps)
    # Most steps came live: histories would have hidden the replaced ones.
    assert len(ledger.received) > len(ledger.held)


def test_layers_are_complete_on_every_connection(either):
    run = run_id("layers")
    steps = random_steps(900, random.Random(3))
    must_be_complete(either, cut_and_resume(either, run, steps, 15, layers=False), steps)


@pytest.mark.parametrize("form", ["full", "lite"])
def test_the_forms_of_v1_are_resumed_without_a_gap(server, form):
    run = run_id("forms")
    steps = random_steps(600, random.Random(4))
    put(server, run, {}, 201)
    rng = random.Random(5)
    seq, held = 0, {}
    for turn in range(13):
        posted = min((turn + 1) * 50, len(steps))
        writer = Threads()
        writer.start(write, server, run, steps[turn * 50:posted], random.Random(turn))
        with LiveSocket(server, offer=rng.choice([None, DEFLATE])) as socket:
            history = socket.history(run, since_seq=seq, form=form)
            assert history["reset"] is False
            held |= {step["step"]: step for step in history["data"]["steps"]}
            seq = history["data"]["last_seq"]
            until = len(steps) if turn == 12 else rng.randint(min(seq, posted), posted)
            while seq < until:
                message = socket.next_step(run)
                assert (message["type"], message["seq"]) == ("new_metrics", seq + 1)
                seq += 1
                held[message["data"]["step"]] = message["data"]
            socket.reset()
        writer.join()
    with LiveSocket(server) as socket:
        whole = socket.history(run, lite=form == "lite")["data"]["steps"]
    assert seq == len(steps) and sorted(held.values(), key=lambda step: step["step"]) == whole


def test_a_subscriber_that_lagged_resumes_and_misses_nothing(start_server):
    server = start_server("--max-steps-per-run", 10_000, "--subscriber-queue", 20, "--subscriber-stall-timeout", 600,
                          "--ws-ping-interval", 600)
    rng = random.Random(6)
    count = 2000
    layers = [f"l{index}" for index in range(200)]
    ledger = Ledger("slow")
    accept_steps(server, "slow", {"step": 0, "time": 1})
    with LiveSocket(server, receive_buffer=65536, timeout=60) as socket:
        ledger.subscribe(socket, layers=False)
        ledger.read(socket, until=1)
        for first in range(1, count, 100):
            accept_lines(server, "slow", [
                {"step": step, "time": 1, "layers": layers, "metrics": {"m": [rng.random() for _ in layers]}}
                for step in range(first, min(first + 100, count))])
        while (message := socket.read_json())["type"] != "lagged":
            ledger.take(message)
        assert list(message) == ["type", "skipped"] and 0 < message["skipped"] < count
        assert 1 <= ledger.seq < count
        ledger.subscribe(socket, layers=False)
        ledger.read(socket, until=count)
        # It has caught up: each further step comes live.
        for step in range(count, count + 50):
            accept_steps(server, "slow", {"step": step, "time": 1, "layers": layers[:step % 3]})
            while ledger.seq <= step:
                ledger.take(socket.read_json())
    assert ledger.received == set(range(1, count + 51))
    assert ledger.held == {step["step"]: step for step in read_steps(server, "slow")}


def test_no_message_about_a_run_is_lost_while_histories_are_sent(server):
    run = run_id("busy")
    count = 150
    accept_steps(server, run, {"step": 1})
    messages = []
    with LiveSocket(server) as socket:
        socket.watch([run], form="columns")
        for number in range(count):
            # The history and the messages are made at the same time.
            socket.say({"action": "subscribe_run", "run_id": run, "since_seq": 1, "form": "columns"})
            response = send(server, "POST", path(run) + "/alerts", {"title": f"{number}"})
            assert response.status_code == 202
            put(server, run, {"name": f"{number}"})
            while (message := socket.read_json())["type"] != "run_history":
                messages.append(message)
        messages += socket.arrived(run)
    expected = [f"{number}" for number in range(count)]
    assert [message["data"]["title"] for message in messages if message["type"] == "alert"] == expected
    assert [message["data"]["name"] for message in messages if message["type"] == "run"] == expected


def test_a_subscriber_that_resumes_while_runs_are_deleted_and_reset_has_the_state_of_the_server(server):
    run = run_id("state")
    rng = random.Random(8)
    held: dict[int, dict] = {}
    known = {"since_seq": 0}

    def take(message: dict):
        kind, data = message["type"], message.get("data")
        if kind == "step":
            assert message["seq"] == known["since_seq"] + 1, "each step comes, in order"
            known["since_seq"] = message["seq"]
            held[data["step"]] = data
        elif kind == "run":
            known["created_at"] = data["created_at"]
        elif kind == "reset":
            for number in [number for number in held if number >= message["from_step"]]:
                del held[number]
        elif kind == "run_deleted" or kind == "run_history" and message["reset"]:
            held.clear()
            known.clear()
            known["since_seq"] = 0
        if kind == "run_history":
            held.update((step["step"], step) for step in data["steps"])
            known.update(since_seq=data["last_seq"], created_at=data["created_at"])

    with LiveSocket(server) as socket:
        socket.watch([run], form="columns")
        for _ in range(300):
            is_asked = rng.random() < 0.6
            if is_asked:
                socket.say({"action": "subscribe_run", "run_id": run, "form": "columns", **known})
            for _ in range(rng.randrange(1, 4)):
                choice = rng.random()
                if choice < 0.7:
                    accept_lines(server, run, [{"step": rng.randrange(300)} for _ in range(rng.randrange(1, 8))])
                elif choice < 0.85:
                    send(server, "PUT", path(run), {"resume_from": rng.randrange(300)})
                else:
                    send(server, "DELETE", path(run))
            while is_asked:
                message = socket.read_json()
                take(message)
                is_asked = message["type"] not in ("run_history", "error")
        for message in socket.arrived(run):
            take(message)
        accept_steps(server, run, {"step": 1})
        for message in socket.arrived(run):
            take(message)
    assert held == {step["step"]: step for step in read_steps(server, run)}
