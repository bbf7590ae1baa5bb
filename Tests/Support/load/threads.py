"""Many posters and many subscribers at once."""

import asyncio
import json
import threading

import websockets

from ..payloads import payload
from ..wire.raw import RawConnection, ingest


class Threads:
    """Runs functions at once; `join` raises what any of them raised."""

    def __init__(self):
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def start(self, function, *arguments):
        def run():
            try:
                function(*arguments)
            except BaseException as error:  # noqa: BLE001 - raised again by join
                self._errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def join(self, seconds: float = 120):
        for thread in self._threads:
            thread.join(seconds)
            assert not thread.is_alive(), "a thread of the test did not end"
        if self._errors:
            raise self._errors[0]


def post_pipelined(server, run: str, steps, layers: int = 2, batch: int = 20) -> int:
    """Posts steps over one connection, some requests ahead of their answers; returns how many were accepted."""
    accepted = 0
    steps = list(steps)
    token = [f"Authorization: Bearer {server.token}"] if server.token else []
    with RawConnection(server, timeout=60) as connection:
        for start in range(0, len(steps), batch):
            part = steps[start:start + batch]
            connection.send(b"".join(ingest(payload(run, step, layers), token) for step in part))
            for _ in part:
                answer = connection.read_response()
                assert answer.status == 202, answer.body
                accepted += 1
    return accepted


class Watchers:
    """Subscribers in a thread of their own, every second one with compression; they keep every new_metrics."""

    def __init__(self, server, count: int):
        self.received: list[list[str]] = [[] for _ in range(count)]
        self.closed: list[int | None] = [None] * count
        self._ready = threading.Barrier(2)
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = Threads()
        self._threads.start(lambda: asyncio.run(self._watch_all(server, count)))
        self._ready.wait(60)

    async def _watch_all(self, server, count: int):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
        sockets = [await websockets.connect(
            server.ws_url, compression="deflate" if index % 2 else None, max_size=None, max_queue=None, proxy=None,
            additional_headers=headers) for index in range(count)]
        for socket in sockets:
            assert json.loads(await socket.recv())["type"] == "initial_runs"
        readers = [asyncio.create_task(self._watch(index, socket)) for index, socket in enumerate(sockets)]
        await asyncio.to_thread(self._ready.wait, 60)
        stopping = asyncio.create_task(self._stop.wait())
        everyone = asyncio.gather(*readers)
        await asyncio.wait([everyone, stopping], return_when=asyncio.FIRST_COMPLETED)
        for socket in sockets:
            await socket.close()
        await everyone
        stopping.cancel()

    async def _watch(self, index: int, socket):
        try:
            async for text in socket:
                self.received[index].append(text)
        except websockets.ConnectionClosed:
            pass
        self.closed[index] = socket.close_code

    def stop(self):
        """Ends all of them and waits until they have ended."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._threads.join()

    def join(self):
        """Waits until the server has closed all of them."""
        self._threads.join()

    def messages(self, index: int) -> list[dict]:
        return [json.loads(text) for text in self.received[index]]
