"""A hundred thousand wrong tokens, from one address and from thousands."""

import math
import time
from collections import Counter

import pytest
from Support.clients.access import TOKENS, tokens_file
from Support.load.crowd import source
from Support.load.figures import record_figure
from Support.load.ordinary_client import OrdinaryClient
from Support.load.resource_check import ROUNDS, ResourceCheck
from Support.load.threads import Threads
from Support.servers.server import Server
from Support.wire.raw import RawConnection, request

LIMIT = 20
# More threads would only alternate in this process, and delay the other client.
GUESSERS = 2
# Pipelined requests, so that the server is the bottleneck.
AHEAD = 100


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server with tokens and a limit on authentication failures."""
    folder = tmp_path_factory.mktemp("strict")
    with Server(["--auth-tokens-file", tokens_file(folder), "--auth-failure-limit", LIMIT,
                 "--max-steps-per-run", 100_000, "--log-level", "warning"], None, folder, counted=True) as running:
        running.token = TOKENS["boss"]
        yield running


def with_token(token: str) -> bytes:
    return request("/api/v1/runs", headers=[f"Authorization: Bearer {token}"])


def try_tokens(server, address: str, count: int, statuses: Counter, distinct):
    """Tries `count` distinct tokens from one address."""
    with RawConnection(server, source=address, timeout=60) as connection:
        for first in range(0, count, AHEAD):
            ahead = range(first, min(first + AHEAD, count))
            connection.send(b"".join(with_token(f"guess-{distinct}-{number}") for number in ahead))
            for _ in ahead:
                answer = connection.read_response()
                statuses[answer.status] += 1
                if answer.status == 429:
                    assert 1 <= int(answer["retry-after"]) <= 60
                    assert answer.json()["detail"]["error"] == "too_many_failures"
                else:
                    assert answer["www-authenticate"] == "Bearer"


def status_of(server, address: str, token: str) -> int:
    with RawConnection(server, source=address) as connection:
        return connection.ask(with_token(token)).status


def test_a_hundred_thousand_wrong_tokens_of_one_address_are_slowed_and_harm_nobody_else(strict):
    count, name = 100_000, "100000 wrong tokens of one address"
    each = count // (ROUNDS + 1) // GUESSERS
    statuses = [Counter() for _ in range(GUESSERS)]
    guessing, began = 0.0, time.monotonic()
    for number in ResourceCheck(strict, name).rounds():
        with OrdinaryClient(strict, name):
            threads, started = Threads(), time.monotonic()
            for index, own in enumerate(statuses):
                threads.start(try_tokens, strict, "127.1.0.1", each, own, f"{number}-{index}")
            threads.join()
            guessing += time.monotonic() - started
            assert status_of(strict, "127.1.0.1", "wrong") == 429
            assert status_of(strict, "127.1.0.1", TOKENS["viewer"]) == 200
            assert status_of(strict, "127.1.0.2", "wrong") == 401
    seconds = time.monotonic() - began
    total = sum(statuses, Counter())
    record_figure(f"{name}: answered", count / guessing, "1/s")
    assert set(total) == {401, 429} and total.total() == count
    # The limit applies per started minute. Both connections may be checked at the same moment.
    assert LIMIT <= total[401] <= (math.ceil(seconds / 60) + 1) * (LIMIT + GUESSERS)


def test_a_hundred_thousand_wrong_tokens_of_five_thousand_addresses_cost_no_memory(strict):
    addresses, more, each, name = 4400, 300, LIMIT, "100000 wrong tokens of 5000 addresses"
    last = 1000
    for number in ResourceCheck(strict, name).rounds(2):
        # The table has room for 4096 addresses. The warm-up fills it, and each round uses new addresses.
        first, last = last, last + (more if number else addresses)
        statuses, threads = [Counter() for _ in range(GUESSERS)], Threads()

        def guess(index: int, first=first, last=last, statuses=statuses):
            for place in range(first + index, last, GUESSERS):
                try_tokens(strict, source(place), each, statuses[index], place)

        with OrdinaryClient(strict, name):
            began = time.monotonic()
            for index in range(GUESSERS):
                threads.start(guess, index)
            threads.join()
            record_figure(f"{name}: answered", (last - first) * each / (time.monotonic() - began), "1/s")
            # No address has exceeded its limit, and the last address is still in the table.
            assert sum(statuses, Counter()) == {401: (last - first) * each}
            assert status_of(strict, source(last - 1), "wrong") == 429
            # Later addresses have replaced the first one.
            assert status_of(strict, source(1000), "wrong") == 401
