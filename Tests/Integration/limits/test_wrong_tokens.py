"""A hundred thousand wrong tokens, from one address and from thousands."""

import math
import time
from collections import Counter

import pytest
from support.access import TOKENS, tokens_file
from support.bystander import Bystander
from support.crowd import source
from support.figures import record_figure
from support.load import Threads
from support.raw import RawConnection, request
from support.server import Server
from support.vitals import Vitals

LIMIT = 20
# More at once would only take turns in this process, and hold up the other client's turn.
GUESSERS = 2
# Sent ahead of their answers, so that it is the server that is busy.
AHEAD = 100


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server with tokens and a limit on wrong ones."""
    folder = tmp_path_factory.mktemp("strict")
    running = Server(["--auth-tokens-file", tokens_file(folder), "--auth-failure-limit", LIMIT,
                      "--max-steps-per-run", 100_000, "--log-level", "warning"], None, folder)
    running.token = TOKENS["both"]
    yield running
    assert running.stop() == 0, running.output


def with_token(token: str) -> bytes:
    return request("/api/v1/runs", headers=[f"Authorization: Bearer {token}"])


def try_tokens(server, address: str, count: int, statuses: Counter, distinct: int = 0):
    """Tries so many tokens from one address; no two are the same."""
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
    count, threads, name = 100_000, Threads(), "100000 wrong tokens of one address"
    statuses = [Counter() for _ in range(GUESSERS)]
    with Vitals(strict, name), Bystander(strict, name):
        began = time.monotonic()
        for index, own in enumerate(statuses):
            threads.start(try_tokens, strict, "127.1.0.1", count // GUESSERS, own, index)
        threads.join()
        seconds = time.monotonic() - began
        assert status_of(strict, "127.1.0.1", "wrong") == 429
        assert status_of(strict, "127.1.0.1", TOKENS["viewer"]) == 200
        assert status_of(strict, "127.1.0.2", "wrong") == 401
    total = sum(statuses, Counter())
    record_figure(f"{name}: answered", count / seconds, "1/s")
    assert set(total) == {401, 429} and total.total() == count
    # For each minute that has begun; both connections may be looked at at the same moment.
    assert LIMIT <= total[401] <= (math.ceil(seconds / 60) + 1) * (LIMIT + GUESSERS)


def test_a_hundred_thousand_wrong_tokens_of_five_thousand_addresses_cost_no_memory(strict):
    addresses, each, threads, name = 5000, LIMIT, Threads(), "100000 wrong tokens of 5000 addresses"
    statuses = [Counter() for _ in range(GUESSERS)]
    with Vitals(strict, name), Bystander(strict, name):
        def guess(index: int):
            for number in range(index, addresses, GUESSERS):
                try_tokens(strict, source(1000 + number), each, statuses[index], number)

        began = time.monotonic()
        for index in range(GUESSERS):
            threads.start(guess, index)
        threads.join()
        record_figure(f"{name}: answered", addresses * each / (time.monotonic() - began), "1/s")
        # None is over its limit, and the last of them is remembered.
        assert sum(statuses, Counter()) == {401: addresses * each}
        assert status_of(strict, source(1000 + addresses - 1), "wrong") == 429
        # The table has room for 4096: the first address was forgotten for the sake of the later ones.
        assert status_of(strict, source(1000), "wrong") == 401
