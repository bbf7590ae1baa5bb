"""The wall clock is set back and forward while the server runs."""

import datetime
import email.utils
import glob
import time

import pytest
from Support.clients.access import TOKENS, call, log_in, tokens_file
from Support.clients.libraries import post, session, wait_until
from Support.load.crowd import Unfinished, client_hello
from Support.load.resource_check import ResourceCheck
from Support.load.subscriber_crowd import SubscriberCrowd
from Support.payloads import payload, run_id, served
from Support.servers.server import ROOT
from Support.wire.raw import RawConnection, request
from Support.wire.raw_websocket import Ended, RawWebSocket

DEADLINE, FAILURES, DAY = 3, 5, 86_400
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class WallClock:
    """The wall clock of one server. Debian's libfaketime replaces it; the monotonic clock is unchanged."""

    def __init__(self, folder):
        found = glob.glob(LIBRARY)
        assert found, "the package faketime is not installed"
        self.file = folder / "wall-clock"
        self.environment = {
            "LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        self.set(0)

    def settings(self, **settings) -> dict:
        """The server's environment. Under libfaketime a Swift program cannot read its arguments, so settings must be
        here."""
        return {**self.environment, "NN_MONITOR_PORT": 0,
                **{f"NN_MONITOR_{name.upper()}": value for name, value in settings.items()}}

    def set(self, seconds: int):
        """Sets the clock to the true time plus `seconds`."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self.file)


def shown(server) -> float:
    """The server's time minus the true time, in seconds."""
    with RawConnection(server) as connection:
        return email.utils.parsedate_to_datetime(connection.ask(request())["date"]).timestamp() - time.time()


def moments(server) -> dict[str, tuple[datetime.datetime, datetime.datetime]]:
    """The creation time and last update of each run."""
    return {run: tuple(datetime.datetime.fromisoformat(entry[name]) for name in ("created_at", "last_update"))
            for run, entry in call(server, "GET", "/api/v1/runs", "both").json().items()}


# The offset of the wall clock in each round, in seconds.
JUMPS = (-DAY, DAY)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_wall_clock_that_is_set_moves_no_deadline_and_no_order(start_server, tmp_path, secure):
    clock = WallClock(tmp_path)
    own = start_server(env=clock.settings(
        tls="dev" if secure else "off", auth_tokens_file=tokens_file(tmp_path), static_dir=ROOT / "static",
        header_timeout=DEADLINE, handshake_timeout=DEADLINE, idle_timeout=3600, ws_ping_interval=0.5,
        ws_pong_timeout=DEADLINE, auth_failure_limit=FAILURES, max_runs=2), counted=True)
    own.token = TOKENS["both"]
    assert abs(shown(own)) < 60
    for number in ResourceCheck(own, f"wall clock that is set, {'TLS' if secure else 'TCP'}").rounds(len(JUMPS) - 1):
        set_clock(own, clock, JUMPS[number], secure, guesser_address=f"127.0.0.{2 + number}")


def set_clock(own, clock: WallClock, jump: int, secure: bool, guesser_address: str):
    """Sets the wall clock to the true time plus `jump` seconds while clients have operations in progress."""
    bearer = [f"Authorization: Bearer {own.token}"]
    older, newer, newest = run_id("older"), run_id("newer"), run_id("newest")
    with session(own) as trainer:
        for run in (older, newer):
            assert post(trainer, own, payload(run)).status_code == 202
        cookie, _ = log_in(own)
        for _ in range(FAILURES):
            with RawConnection(own, source=guesser_address) as guesser:
                assert guesser.ask(request("/api/v1/runs", headers=["Authorization: Bearer wrong"])).status == 401
        before = moments(own)
        asleep_since = time.monotonic()
        with RawConnection(own) as idle, RawWebSocket(own, bearer) as asleep, SubscriberCrowd(own, 1) as awake, \
                Unfinished(own, 10) as crowd:
            awake.listen()
            assert idle.ask(request()).status == 200
            crowd.send(lambda index: client_hello()[:50] if secure else b"GET /health HTTP/1.1\r\n")
            clock.set(jump)
            wait_until(lambda: abs(shown(own) - jump) < 60)

            # Running deadlines expire neither earlier nor later.
            crowd.watch_until_all_are_closed(DEADLINE)
            with pytest.raises(Ended):
                while True:
                    asleep.read_frame()
            assert time.monotonic() - asleep_since >= DEADLINE
            # Connections with a timeout of an hour stay open, and pings continue.
            assert idle.ask(request()).status == 200
            pings = awake.members[0].pings
            wait_until(lambda: awake.all(lambda member: member.pings > pings))

            # Sessions and the limit on authentication failures are unaffected.
            assert call(own, "GET", "/api/v1/runs", headers={"Cookie": cookie}).status_code == 200
            with RawConnection(own, source=guesser_address) as guesser:
                assert guesser.ask(request("/api/v1/runs", headers=["Authorization: Bearer wrong"])).status == 429
                assert guesser.ask(request("/api/v1/runs", headers=bearer)).status == 200

            # The order of updates is preserved: after another step, the older run is the most recently updated and is
            # kept.
            assert post(trainer, own, payload(older, 1)).status_code == 202
            assert post(trainer, own, payload(newest)).status_code == 202
            # The step of the older run, the eviction of the newer one, the step of the newest.
            wait_until(lambda: awake.all(lambda member: len(member.messages) == 3))
            after = moments(own)
            assert list(after) == [older, newest]
            assert after[older][0] == before[older][0]
            assert before[newer][1] < after[older][1] < after[newest][0] == after[newest][1]
            stored = call(own, "GET", f"/api/v1/runs/{older}", "both").json()["steps"]
            assert stored == [served(payload(older, step)) for step in range(2)]
