"""Many steps to more runs than the store holds, and deletions, while subscribers connect, request histories and
leave."""

import itertools
import json
import random
import threading

import requests
from eviction_model import EvictionModel, listed
from Support.clients.libraries import post, receive, session, subscribe
from Support.load.resource_check import ResourceCheck
from Support.load.threads import Threads
from Support.payloads import payload, run_id, served

MAX_RUNS, MAX_STEPS = 12, 20
TRAINERS, RUNS_OF_EACH = 5, 8
# Steps of each trainer in the warm-up and in later rounds.
STEPS_OF_EACH, FEWER = 500, 100
SUBSCRIBERS, READERS = 5, 2


class Storm:
    """The steps that the trainers posted, and the messages that the subscribers received."""

    def __init__(self, server, steps_of_each: int):
        self.server = server
        self.steps_of_each = steps_of_each
        self.runs = [[run_id("storm") for _ in range(RUNS_OF_EACH)] for _ in range(TRAINERS)]
        self.posted: dict[str, int] = {}
        # The number of runs that each trainer has deleted.
        self.deleted = [0] * TRAINERS
        # All messages of each subscriber from its start to its end.
        self.conversations: list[list[dict]] = []
        self.over = threading.Event()

    def any_run(self, rng: random.Random) -> str:
        return rng.choice(rng.choice(self.runs))

    def train(self, trainer: int):
        """Posts to a few runs at a time, so that some runs live longer than others."""
        rng = random.Random(trainer)
        with session(self.server) as client:
            for number in range(self.steps_of_each):
                run = rng.choice(self.runs[trainer][:2] if rng.random() < 0.5 else self.runs[trainer])
                step = self.posted.get(run, 0)
                if rng.random() < 0.05:
                    # Some runs have been evicted already.
                    answer = client.delete(f"{self.server.url}/api/v1/runs/{run}")
                    assert answer.status_code in (204, 404)
                    self.deleted[trainer] += answer.status_code == 204
                assert post(client, self.server, payload(run, step)).status_code == 202
                self.posted[run] = step + 1

    def listen(self, number: int):
        """Connects, requests histories, leaves, and repeats until the storm is over."""
        rng = random.Random(1000 + number)
        while not self.over.is_set():
            conversation: list[dict] = []
            with subscribe(self.server, compression=rng.choice([None, "deflate"])) as socket:
                def hear() -> str:
                    conversation.append(json.loads(socket.recv(timeout=60)))
                    return conversation[-1]["type"]

                assert hear() == "initial_runs"
                # At least one step before the first request: it determines the position of the listing.
                if self.over.is_set():
                    break
                while hear() == "run_deleted":
                    pass
                for _ in range(rng.randrange(20)):
                    run = self.any_run(rng)
                    socket.send(json.dumps({"action": "subscribe_run", "run_id": run, "lite": rng.random() < 0.3}))
                    conversation.append({"type": "asked", "run_id": run})
                    while hear() not in ("run_history", "error"):
                        pass
            self.conversations.append(conversation)

    def read(self, number: int):
        """Reads over HTTP the runs that exist at the moment."""
        rng = random.Random(2000 + number)
        with session(self.server) as client:
            while not self.over.is_set():
                listing = listed(client.get(self.server.url + "/api/v1/runs").json())
                assert len(listing) <= MAX_RUNS and all(1 <= count <= MAX_STEPS for _, count, _ in listing)
                run = self.any_run(rng)
                self.check_read(client.get(f"{self.server.url}/api/v1/runs/{run}"), run)
                latest = client.get(f"{self.server.url}/api/v1/runs/{run}/latest")
                if latest.status_code == 200:
                    assert latest.json() == served(payload(run, latest.json()["step"]))

    def check_read(self, answer: requests.Response, run: str):
        if answer.status_code == 404:
            assert answer.json()["detail"]["message"] == f"Run '{run}' not found"
            return
        steps = answer.json()["steps"]
        assert 1 <= len(steps) <= MAX_STEPS
        assert steps == [served(payload(run, steps[0]["step"] + index)) for index in range(len(steps))]


def check_conversation(conversation: list[dict], model: EvictionModel, data: dict[tuple[str, int], dict]):
    """Fails unless the conversation follows API.md, section "WebSocket: GET /ws", for steps stored in this order."""
    opening = conversation[0]
    ahead = next(index for index, message in enumerate(conversation[1:]) if message["type"] == "new_metrics")
    first = conversation[1 + ahead]
    place = model.place[first["run_id"], first["data"]["step"]]
    # The listing, then `ahead` removals and the first step.
    start = place - ahead
    assert listed(opening["data"]) == (model.listings[start - 1] if start else [])
    # The last step of each run that this subscriber received, in a history or in a new_metrics message.
    known: dict[str, int] = {}
    places = [start - 1]
    asked_at = start
    for message in conversation[1:]:
        run = message.get("run_id")
        if message["type"] == "new_metrics":
            step = message["data"]["step"]
            assert message["data"] == data[run, step]
            # Each step follows the previous one or a history that ends with the previous one.
            if run in known:
                assert step == known[run] + 1
            else:
                assert step == 0 or model.place[run, step - 1] < start
            known[run] = step
            places.append(model.place[run, step])
        elif message["type"] == "run_history":
            steps = message["data"]["steps"]
            last = steps[-1]["step"]
            assert [step["step"] for step in steps] == list(range(model.first_step[run, last], last + 1))
            is_lite = "activation_mean" not in steps[0]["layers"][0]["intermediate_features"]
            if not is_lite:
                assert steps == [data[run, step["step"]] for step in steps]
            # Steps received before the history are not newer than its last step.
            assert known.get(run, -1) <= last
            known[run] = last
        elif message["type"] == "run_deleted":
            places.append(model.next_removal(run, places[-1]))
        elif message["type"] == "error":
            asked = [earlier["run_id"] for earlier in conversation if earlier["type"] == "asked"]
            run = next(run for run in asked if f"'{run}'" in message["message"])
            assert message["message"] == f"Run '{run}' not found"
            assert model.was_absent(run, asked_at)
        else:
            assert message["type"] == "asked", message
            asked_at = places[-1]
    # All subscribers see the store's order without duplicates.
    assert places == sorted(set(places))


def test_subscribers_in_a_storm_of_steps_evictions_and_deletions_see_what_the_contract_promises(start_server):
    own = start_server("--max-runs", MAX_RUNS, "--max-steps-per-run", MAX_STEPS, "--subscriber-queue", 100_000,
                       "--log-level", "warning", counted=True)
    resources = ResourceCheck(own, "storm of steps, evictions and deletions")
    for number in resources.rounds(2):
        kinds, model, deletions = run_storm(own, resources, FEWER if number else STEPS_OF_EACH)
        if number == 0:
            # The load was heavy enough.
            assert model.evictions > 100 and deletions > 20
            assert kinds.count("run_history") > 20 and kinds.count("error") > 20
        # Each round starts with an empty store.
        with session(own) as client:
            for run in model.held:
                assert client.delete(f"{own.url}/api/v1/runs/{run}").status_code == 204


def run_storm(own, resources: ResourceCheck, steps_of_each: int) -> tuple[list[str], EvictionModel, int]:
    """Runs one storm and applies the model. Returns the message types, the model and the number of deletions."""
    storm, posting, watching = Storm(own, steps_of_each), Threads(), Threads()
    with subscribe(own) as recorder:
        assert receive(recorder) == {"type": "initial_runs", "data": {}}
        for number in range(SUBSCRIBERS):
            watching.start(storm.listen, number)
        for number in range(READERS):
            watching.start(storm.read, number)
        for trainer in range(TRAINERS):
            posting.start(storm.train, trainer)
        # Each deletion precedes a step of the same trainer.
        recorded = []
        while sum(message["type"] == "new_metrics" for message in recorded) < TRAINERS * steps_of_each:
            recorded.append(receive(recorder, seconds=60))
        posting.join()
        storm.over.set()
        # One more step, for subscribers that are waiting for one.
        last = run_id("last")
        with session(own) as client:
            for step in itertools.count():
                assert post(client, own, payload(last, step)).status_code == 202
                recorded.append(receive(recorder))
                # The first step of this run evicts another run. The eviction is announced before the step.
                while recorded[-1]["type"] != "new_metrics":
                    recorded.append(receive(recorder))
                if not watching.running():
                    break
        watching.join()

        model = EvictionModel(MAX_RUNS, MAX_STEPS)
        data = {}
        for message in recorded:
            run = message["run_id"]
            if message["type"] == "run_deleted":
                model.remove(run, message["reason"])
                continue
            assert message["type"] == "new_metrics"
            step = message["data"]["step"]
            assert message["data"] == served(payload(run, step))
            model.store(run, step)
            data[run, step] = message["data"]
        # Each accepted step exactly once.
        deletions = model.deletions
        assert len(data) == len(recorded) - deletions - model.evictions
        assert deletions == sum(storm.deleted)
        assert {**storm.posted, last: len(data) - TRAINERS * steps_of_each} == {
            run: step + 1 for run, step in data}
        for conversation in storm.conversations:
            check_conversation(conversation, model, data)
        kinds = [message["type"] for conversation in storm.conversations for message in conversation]
        resources.record("steps", len(data), "")
        resources.record("deletions", deletions, "")
        resources.record("evictions", model.evictions, "")
        resources.record("histories", kinds.count("run_history"), "")
        resources.record("runs not found", kinds.count("error"), "")
        resources.record("conversations", len(storm.conversations), "")
    # The store holds exactly the steps that the model keeps.
    with session(own) as client:
        assert listed(client.get(own.url + "/api/v1/runs").json()) == model.listing()
        for run, (first, step) in model.held.items():
            steps = client.get(f"{own.url}/api/v1/runs/{run}").json()["steps"]
            assert steps == [data[run, number] for number in range(first, step + 1)]
    return kinds, model, deletions
