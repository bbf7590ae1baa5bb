"""Those who watch: one subscriber that stays and checks everything, others that come and go, readers of histories."""

import json
import random
import re
from socket import SHUT_RDWR

from support.clients import session, subscribe
from websockets.exceptions import ConnectionClosed

STEP = re.compile(r'^\{"type":"new_metrics","run_id":"([^"]*)","data":\{"step":(\d+)')


class Witness:
    """Subscribed from the beginning to the end: sees each run's steps in order, none missing, none twice."""

    def __init__(self, server, ledger):
        self.ledger = ledger
        self.socket = subscribe(server)
        self.seen: dict[str, int] = {}

    def watch(self, done):
        while not done.is_set():
            try:
                self.take(self.socket.recv(timeout=0.5))
            except TimeoutError:
                continue
            except ConnectionClosed as error:
                return self.ledger.error(f"the witness was closed: {error}")

    def take(self, message: str):
        match = STEP.match(message)
        if not match:
            kind = json.loads(message)["type"]
            if kind != "initial_runs":
                self.ledger.error(f"the witness got {message[:200]}")
            return
        run, step = match[1], int(match[2])
        if step != self.seen.get(run, 0):
            self.ledger.error(f"the witness got step {step} of {run} where {self.seen.get(run, 0)} was next")
        self.seen[run] = step + 1
        self.ledger.count("steps seen by the witness")

    def finish(self):
        """Takes what is still on its way, and compares with what was accepted."""
        expected = self.ledger.accepted
        while self.seen != expected:
            try:
                self.take(self.socket.recv(timeout=10))
            except (TimeoutError, ConnectionClosed):
                break
        for run in expected.keys() | self.seen.keys():
            if self.seen.get(run, 0) != expected.get(run, 0):
                self.ledger.error(f"{run}: {expected.get(run, 0)} steps were accepted, {self.seen.get(run, 0)} seen")
        self.socket.close()


def check_history(ledger, run: str, data: dict, limit: int):
    """A history is a gapless piece of 0, 1, 2, ... that ends where the run ended then."""
    steps = [step["step"] for step in data["steps"]]
    if not steps or steps != list(range(steps[0], steps[-1] + 1)) or len(steps) > limit:
        ledger.error(f"the history of {run} has the steps {steps[:3]} to {steps[-3:]}, {len(steps)} of them")
    elif steps[0] != 0 and len(steps) < limit:
        ledger.error(f"the history of {run} has only {len(steps)} steps and begins with {steps[0]}")


class Visitor:
    """Subscribes, asks for a history, watches for a while, and leaves in one way or another."""

    def __init__(self, server, ledger, number: int, limit: int):
        self.server = server
        self.ledger = ledger
        self.limit = limit
        self.rng = random.Random(1000 + number)

    def visit(self, pause, done):
        while not done.is_set():
            try:
                self.visit_once(done)
            except (OSError, ConnectionClosed, TimeoutError) as error:
                self.ledger.error(f"a visit failed: {error!r}")
            pause()

    def visit_once(self, done):
        compression = self.rng.choice(["deflate", None])
        with subscribe(self.server, compression) as socket:
            self.ledger.count("subscribers that came and went")
            runs = list(json.loads(socket.recv(timeout=30))["data"])
            run = self.rng.choice(runs) if runs else None
            if run is not None:
                socket.send(json.dumps({"action": "subscribe_run", "run_id": run, "lite": self.rng.random() < 0.5}))
            if self.rng.random() < 0.2:
                socket.send(self.rng.choice(["no JSON", '{"action":"fly"}', "[]", '{"action":"subscribe_run","run_id":7}']))
            following = None
            for _ in range(self.rng.randrange(5, 60)):
                if done.is_set():
                    return
                message = json.loads(socket.recv(timeout=30))
                if message["type"] == "run_history":
                    self.ledger.count("histories by WebSocket")
                    check_history(self.ledger, message["run_id"], message["data"], self.limit)
                    following = message["data"]["steps"][-1]["step"]
                elif message["type"] == "new_metrics" and message["run_id"] == run and following is not None:
                    following += 1
                    if message["data"]["step"] != following:
                        self.ledger.error(f"{run}: step {message['data']['step']} came where {following} was next")
            if self.rng.random() < 0.3:
                # Gone without a word.
                socket.socket.shutdown(SHUT_RDWR)


class Reader:
    """Reads the listing and histories by GET."""

    def __init__(self, server, ledger, limit: int):
        self.server = server
        self.ledger = ledger
        self.limit = limit
        self.rng = random.Random(7)

    def read(self, pause, done):
        with session(self.server) as client:
            while not done.is_set():
                try:
                    self.read_once(client)
                except OSError as error:
                    self.ledger.error(f"a read failed: {error!r}")
                pause()

    def read_once(self, client):
        listing = client.get(f"{self.server.url}/api/v1/runs", timeout=60)
        if listing.status_code != 200:
            return self.ledger.error(f"the listing was answered {listing.status_code}")
        names = list(listing.json())
        if not names:
            return
        run = self.rng.choice(names)
        answer = client.get(f"{self.server.url}/api/v1/runs/{run}", timeout=60)
        # It may have been evicted since.
        if answer.status_code == 200:
            self.ledger.count("histories by GET")
            check_history(self.ledger, run, answer.json(), self.limit)
        elif answer.status_code != 404:
            self.ledger.error(f"the history of {run} was answered {answer.status_code}")
