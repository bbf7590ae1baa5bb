"""Trainers: each posts run after run, step after step, plain or gzip, and now and then something malformed."""

import functools
import gzip
import json
import random
import ssl

from malformed import malformed
from Support.payloads import payload, served
from Support.wire.raw import RawConnection, ingest

# A run's statistics repeat after so many steps; making them costs more than taking them costs the server.
DIFFERENT = 10
# One of so many requests is malformed: 5 %.
ONE_OF = 20


@functools.cache
def _served(seed: int, layers: int) -> dict:
    return served(payload("any", 0, layers, seed))


def stored(step: int, layers: int) -> dict:
    """A step of any run that was posted here, as the server must give it."""
    return {**_served(step % DIFFERENT, layers), "step": step}


class Trainer:
    """Posts over one connection that is kept as long as the server keeps it."""

    def __init__(self, server, context, results, number: int, layers: int, steps_per_run: int):
        self.server = server
        self.context = context
        self.results = results
        self.number = number
        self.layers = layers
        self.steps_per_run = steps_per_run
        self.rng = random.Random(number)
        self.connection: RawConnection | None = None
        self.requests = 0

    def train(self, pause, done):
        """Trains until `done` is set; `pause` is called after each request."""
        index = 0
        while not done.is_set():
            run = f"soak-{self.number}-{index}"
            index += 1
            bodies = [json.dumps(payload(run, 0, self.layers, seed)).encode() for seed in range(DIFFERENT)]
            step = 0
            while step < self.steps_per_run:
                if done.is_set():
                    return
                if self.is_turn_of_malformed():
                    self.post_malformed(bodies[0])
                else:
                    self.post(run, bodies[step % DIFFERENT].replace(b'"global_step": 0', b'"global_step": %d' % step))
                    step += 1
                pause()

    def is_turn_of_malformed(self) -> bool:
        """Once among each twenty requests, somewhere."""
        place = self.requests % ONE_OF
        if place == 0:
            self.malformed_place = self.rng.randrange(ONE_OF)
        self.requests += 1
        return place == self.malformed_place

    def connect(self) -> RawConnection:
        if self.connection is None:
            self.connection = RawConnection(self.server, timeout=60, context=self.context)
            self.results.count("connections of trainers")
        return self.connection

    def disconnect(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def post(self, run: str, body: bytes):
        headers = [f"Authorization: Bearer {self.server.token}"]
        if self.rng.random() < 0.5:
            body = gzip.compress(body, 1)
            headers.append("Content-Encoding: gzip")
        try:
            answer = self.connect().ask(ingest(body, headers))
        except (OSError, AssertionError) as error:
            self.results.error(f"a post to {run} failed: {error!r}")
            return self.disconnect()
        if answer.status == 202:
            self.results.step_accepted(run)
        else:
            self.results.error(f"a post to {run} was answered {answer.status}: {answer.body[:200]!r}")
        if "close" in answer["connection"]:
            self.disconnect()

    def post_malformed(self, body: bytes):
        """On a connection of its own, since the server may close it; the answer must be the right one."""
        name, data, expected = malformed(self.rng, self.server.token, body)
        self.results.count("malformed requests")
        try:
            with RawConnection(self.server, timeout=60, context=self.context) as connection:
                answer = connection.ask(data)
        except (OSError, ssl.SSLError, AssertionError) as error:
            return self.results.error(f"{name} got no answer: {error!r}")
        if answer.status not in expected:
            self.results.error(f"{name} was answered {answer.status}, not {expected}: {answer.body[:200]!r}")
