"""The usual client libraries, set up for one of the test servers."""

import asyncio
import json
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from websockets.exceptions import InvalidMessage
from websockets.sync.client import connect

from ..payloads import payload
from ..wire.raw import INGEST


def session(server, token: str | None = None) -> requests.Session:
    """A keep-alive HTTP client that trusts the server and presents its token (or the one given; "" is none)."""
    made = requests.Session()
    made.trust_env = False
    made.verify = server.ca or True
    token = server.token if token is None else token
    if token:
        made.headers["Authorization"] = f"Bearer {token}"
    return made


def post(client: requests.Session, server, body: dict) -> requests.Response:
    return client.post(server.url + INGEST, json=body, timeout=60)


def post_steps(client: requests.Session, server, run: str, steps, layers: int = 2) -> list[dict]:
    """Posts a payload for each step; every one must be accepted. Returns what was posted."""
    posted = []
    for step in steps:
        body = payload(run, step, layers)
        answer = post(client, server, body)
        assert answer.status_code == 202, answer.text
        posted.append(body)
    return posted


def context(server) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=server.ca) if server.secure else None


def subscribe(server, compression: str | None = "deflate", headers: dict | None = None, **options):
    """A WebSocket client of the websockets library, connected to /ws.

    Over TLS the library reads in one thread while another writes. CPython's SSLSocket does not support that before 3.13
    (gh-134698): one in a thousand handshakes is never written, and the server closes at the deadline for a head. Such a
    handshake is tried once more.
    """
    fields = dict(headers or {})
    if server.token and not {"Authorization", "Cookie"} & fields.keys():
        fields["Authorization"] = f"Bearer {server.token}"
    def attempt():
        return connect(server.ws_url, ssl=context(server), compression=compression, additional_headers=fields,
                       max_size=None, max_queue=None, proxy=None, open_timeout=30, legacy=True, **options)

    try:
        return attempt()
    except InvalidMessage as error:
        if not server.secure or not isinstance(error.__cause__, EOFError):
            raise
        return attempt()


def receive(socket, kind: str | None = None, run: str | None = None, seconds: float = 30) -> dict:
    """The next message, of a type and a run if given; a shared server's other runs are passed over."""
    deadline = time.monotonic() + seconds
    while True:
        message = json.loads(socket.recv(timeout=max(deadline - time.monotonic(), 0.001)))
        if kind in (None, message["type"]) and run in (None, message.get("run_id")):
            return message


def wait_until(condition, seconds: float = 20, why: str = "it did not happen in time"):
    """Asks again and again until the condition holds; returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, why
        time.sleep(0.02)
    return result


def healthy(server) -> dict:
    """What /health answers; fails when the server doesn't serve."""
    with session(server) as client:
        answer = client.get(server.url + "/health", timeout=20)
    assert answer.status_code == 200
    assert answer.json()["status"] == "healthy"
    return answer.json()


def run_async(coroutine):
    """Runs a coroutine to its end and returns its result.

    In a thread of its own: Playwright's browser tests, when run before, keep an event loop running in this one.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
