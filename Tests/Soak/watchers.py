"""Those who watch: one subscriber that stays and checks everything, others that come and go, readers of histories."""

import asyncio
import contextlib
import json
import random
import re

from Support.clients.libraries import context, session, subscribe
from Support.wire.raw_websocket import Ended, RawWebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

NONSENSE = ["no JSON", '{"action":"fly"}', "[]", '{"action":"subscribe_run","run_id":7}']
STEP = re.compile(r'^\{"type":"new_metrics","run_id":"([^"]*)","data":\{"step":(\d+)')


class CheckingSubscriber:
    """Subscribed from the beginning to the end: sees each run's steps in order, none missing, none twice."""

    def __init__(self, server, results):
        self.results = results
        self.socket = subscribe(server)
        self.seen: dict[str, int] = {}

    def watch(self, done):
        while not done.is_set():
            try:
                self.take(self.socket.recv(timeout=0.5))
            except TimeoutError:
                continue
            except ConnectionClosed as error:
                return self.results.error(f"the checking subscriber was closed: {error}")

    def take(self, message: str):
        match = STEP.match(message)
        if not match:
            kind = json.loads(message)["type"]
            if kind not in ("initial_runs", "run_deleted"):
                self.results.error(f"the checking subscriber got {message[:200]}")
            return
        run, step = match[1], int(match[2])
        if step != self.seen.get(run, 0):
            self.results.error(
                f"the checking subscriber got step {step} of {run} where {self.seen.get(run, 0)} was next")
        # The run that was updated last is the last one.
        self.seen.pop(run, None)
        self.seen[run] = step + 1
        self.results.count("steps seen by the checking subscriber")

    def finish(self):
        """Takes what is still on its way, and compares with what was accepted."""
        expected = self.results.accepted
        while self.seen != expected:
            try:
                self.take(self.socket.recv(timeout=10))
            except (TimeoutError, ConnectionClosed):
                break
        for run in expected.keys() | self.seen.keys():
            if self.seen.get(run, 0) != expected.get(run, 0):
                self.results.error(f"{run}: {expected.get(run, 0)} steps were accepted, {self.seen.get(run, 0)} seen")
        self.socket.close()

    def expected_store(self, max_runs: int, max_steps: int) -> dict[str, range]:
        """What the server must hold in the end: of the runs that were updated last, the last steps."""
        return {run: range(max(0, self.seen[run] - max_steps), self.seen[run]) for run in list(self.seen)[-max_runs:]}


def check_history(results, run: str, data: dict, limit: int):
    """A history is a gapless part of 0, 1, 2, ..., within the limit of steps."""
    steps = [step["step"] for step in data["steps"]]
    if not steps or steps != list(range(steps[0], steps[-1] + 1)) or len(steps) > limit:
        results.error(f"the history of {run} has the steps {steps[:3]} to {steps[-3:]}, {len(steps)} of them")
    elif steps[0] != 0 and len(steps) < limit:
        results.error(f"the history of {run} has only {len(steps)} steps and begins with {steps[0]}")


class Visitor:
    """Subscribes, requests a history, watches for a while, and disconnects in one of several ways.

    With coroutines: a client with threads closes its socket while its other thread may still read it, by a number that is
    another socket's by then.
    """

    def __init__(self, server, results, number: int, limit: int):
        self.server = server
        self.results = results
        self.limit = limit
        self.rng = random.Random(1000 + number)
        self.headers = {"Authorization": f"Bearer {server.token}"}
        self.context = context(server)

    async def visit(self, seconds: float, done):
        """Visits again and again, with a pause of so long, until `done` is set."""
        while not done.is_set():
            try:
                if self.rng.random() < 0.3:
                    await asyncio.to_thread(self.leave_badly)
                else:
                    await self.visit_once(done)
            except (OSError, WebSocketException, Ended) as error:
                self.results.error(f"a visit failed: {error!r}")
            await asyncio.sleep(seconds)

    async def visit_once(self, done):
        compression = self.rng.choice(["deflate", None])
        async with connect(self.server.ws_url, ssl=self.context, compression=compression, max_size=None, proxy=None,
                           additional_headers=self.headers) as socket:
            self.results.count("subscribers that came and went")
            runs = list(json.loads(await socket.recv())["data"])
            run = self.rng.choice(runs) if runs else None
            if run is not None:
                lite = self.rng.random() < 0.5
                await socket.send(json.dumps({"action": "subscribe_run", "run_id": run, "lite": lite}))
            if self.rng.random() < 0.2:
                await socket.send(self.rng.choice(NONSENSE))
            await self.watch(socket, run, done)

    async def watch(self, socket, run: str | None, done):
        """Takes some messages: a history, and then that run's steps from its end on."""
        following = None
        for _ in range(self.rng.randrange(5, 60)):
            message = await self.next_message(socket, done)
            if message is None:
                return
            if message["type"] == "run_history":
                self.results.count("histories by WebSocket")
                check_history(self.results, message["run_id"], message["data"], self.limit)
                following = message["data"]["steps"][-1]["step"]
            elif message["type"] == "new_metrics" and message["run_id"] == run and following is not None:
                following += 1
                if message["data"]["step"] != following:
                    self.results.error(f"{run}: step {message['data']['step']} came where {following} was next")

    @staticmethod
    async def next_message(socket, done) -> dict | None:
        """Waits for it while steps are posted."""
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                return json.loads(await asyncio.wait_for(socket.recv(), 1))
        return None

    def leave_badly(self):
        """Subscribes, and is gone without a close frame, or in the middle of a frame, or with a reset."""
        with RawWebSocket(self.server, [f"Authorization: Bearer {self.server.token}"], context=self.context) as socket:
            self.results.count("subscribers that left without a word")
            for _ in range(self.rng.randrange(4)):
                socket.read_frame()
            if self.rng.random() < 0.5:
                socket.send(b"\x81\xff\x00\x00")
            if self.rng.random() < 0.5:
                socket.reset()


class Reader:
    """Reads the listing and histories by GET."""

    def __init__(self, server, results, limit: int):
        self.server = server
        self.results = results
        self.limit = limit
        self.rng = random.Random(7)

    async def read(self, seconds: float, done):
        """Reads again and again, with a pause of so long, until `done` is set."""
        with session(self.server) as client:
            while not done.is_set():
                try:
                    await asyncio.to_thread(self.read_once, client)
                except OSError as error:
                    self.results.error(f"a read failed: {error!r}")
                await asyncio.sleep(seconds)

    def read_once(self, client):
        listing = client.get(f"{self.server.url}/api/v1/runs", timeout=60)
        if listing.status_code != 200:
            return self.results.error(f"the listing was answered {listing.status_code}")
        names = list(listing.json())
        if not names:
            return
        run = self.rng.choice(names)
        address = f"{self.server.url}/api/v1/runs/{run}"
        before, answer, after = (client.get(address + path, timeout=60) for path in ("/latest", "", "/latest"))
        statuses = [one.status_code for one in (before, answer, after)]
        # It may have been evicted since the listing or the last request. It does not return.
        if statuses not in ([200] * 3, [200, 200, 404], [200, 404, 404], [404] * 3):
            return self.results.error(
                f"the latest step, the history, the latest step of {run} were answered {statuses}")
        if answer.status_code != 200:
            return
        self.results.count("histories by GET")
        check_history(self.results, run, answer.json(), self.limit)
        # It ends where the run ended then.
        end = answer.json()["steps"][-1]["step"]
        if end < before.json()["step"] or after.status_code == 200 and end > after.json()["step"]:
            self.results.error(f"the history of {run} ends with {end}, after step {before.json()['step']} was there")
