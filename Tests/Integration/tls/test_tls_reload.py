"""SIGHUP: new connections get the new certificate, an invalid file keeps the old one, and no request is lost."""

import hashlib
import shutil
import signal
import ssl
import threading
import time

import pytest
from Support.clients.libraries import healthy, post, receive, session, subscribe, wait_until
from Support.load.threads import Threads
from Support.payloads import payload, run_id, served
from Support.servers.certificates import fingerprint, install, presented
from Support.wire.raw import RawConnection, ingest, request

# For the test under load: the scheduled requests per second, half of them on new connections; the rate that must be
# reached; the number of posting threads; and the number of certificate changes.
RATE, REACHED, POSTERS, RELOADS = 150, 100, 6, 12


def test_reload_presents_the_new_certificate_and_keeps_open_connections(start_tls, made, tmp_path):
    own = start_tls()
    with RawConnection(own) as before, subscribe(own) as subscriber:
        assert receive(subscriber)["type"] == "initial_runs"
        assert presented(own) == fingerprint(made.server)
        install(made.renewed, tmp_path)
        own.signal(signal.SIGHUP)
        wait_until(lambda: presented(own) == fingerprint(made.renewed))
        assert before.ask(request()).status == 200
        body = payload(run_id())
        with session(own) as client:
            assert post(client, own, body).status_code == 202
        assert receive(subscriber, "new_metrics")["data"] == served(body)


@pytest.mark.parametrize("spoil", ["not PEM", "other key", "missing"])
def test_reload_of_a_bad_certificate_keeps_the_old_one_and_logs_why(start_tls, made, tmp_path, spoil):
    own = start_tls()
    seen = len(own.lines)
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    if spoil == "not PEM":
        certificate.write_text("this is no certificate")
    elif spoil == "other key":
        shutil.copy(made.renewed.key, key)
    else:
        certificate.unlink()
    own.signal(signal.SIGHUP)
    wait_until(lambda: any("server.pem" in line or "server.key" in line for line in own.lines[seen:]), why=own.output)
    assert presented(own) == fingerprint(made.server)
    healthy(own)
    # After the file has been repaired, the next reload succeeds.
    install(made.renewed, tmp_path)
    own.signal(signal.SIGHUP)
    wait_until(lambda: presented(own) == fingerprint(made.renewed))


def test_reload_takes_other_authorities_for_clients(start_tls, made, tmp_path):
    authorities = tmp_path / "authorities.pem"
    shutil.copy(made.authority.certificate, authorities)
    own = start_tls("--tls-client-ca-file", authorities)

    def served_with(pair) -> bool:
        context = ssl.create_default_context(cafile=own.ca)
        context.load_cert_chain(pair.certificate, pair.key)
        try:
            with RawConnection(own, context=context) as connection:
                return connection.ask(request()).status == 200
        except (ssl.SSLError, ConnectionError, AssertionError):
            return False
    assert (served_with(made.client), served_with(made.stranger)) == (True, False)
    shutil.copy(made.other.certificate, authorities)
    own.signal(signal.SIGHUP)
    wait_until(lambda: served_with(made.stranger))
    assert not served_with(made.client)


def test_no_request_fails_while_certificates_change_under_load(start_tls, made, tmp_path):
    own = start_tls("--max-steps-per-run", 1_000_000)
    run, stop, seen = run_id(), threading.Event(), set()
    posted = [[] for _ in range(POSTERS)]
    threads = Threads()

    def fresh(connection):
        seen.add(hashlib.sha256(connection.socket.getpeercert(True)).hexdigest())

    def work(number):
        kept = None
        step, due = number, began
        try:
            # Two requests are scheduled at a time, regardless of the duration of the previous ones.
            while not stop.wait(max(due - time.monotonic(), 0)):
                due += 2 * POSTERS / RATE
                # Alternates between a kept connection and a new one.
                if kept is None:
                    kept = RawConnection(own)
                    fresh(kept)
                assert kept.ask(ingest(payload(run, step))).status == 202
                posted[number].append(step)
                with RawConnection(own) as single:
                    fresh(single)
                    assert single.ask(ingest(payload(run, step + POSTERS))).status == 202
                posted[number].append(step + POSTERS)
                step += 2 * POSTERS
        finally:
            if kept:
                kept.close()

    began = time.monotonic()
    for number in range(POSTERS):
        threads.start(work, number)
    for turn in range(RELOADS):
        wanted = made.renewed if turn % 2 == 0 else made.server
        if turn % 3 == 2:
            # A truncated file, as during a copy.
            (tmp_path / "server.pem").write_bytes(wanted.certificate.read_bytes()[:200])
            lines = len(own.lines)
            own.signal(signal.SIGHUP)
            wait_until(lambda: any("server.pem" in line for line in own.lines[lines:]), why=own.output)
        install(wanted, tmp_path)
        own.signal(signal.SIGHUP)
        wait_until(lambda: presented(own) == fingerprint(wanted))
        count = sum(map(len, posted))
        wait_until(lambda: sum(map(len, posted)) >= count + RATE // 4)
    stop.set()
    threads.join()
    # The test must reach this rate, or it does not prove what it claims.
    reached = sum(map(len, posted)) / (time.monotonic() - began)
    assert reached >= REACHED, f"only {reached:.0f} requests a second were made"
    assert seen == {fingerprint(made.server), fingerprint(made.renewed)}
    steps = sorted(step for part in posted for step in part)
    assert len(steps) > RELOADS * RATE // 4
    with session(own) as client:
        stored = client.get(f"{own.url}/api/v1/runs/{run}").json()
    assert [one["step"] for one in stored["steps"]] == steps
