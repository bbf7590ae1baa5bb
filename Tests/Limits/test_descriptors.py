"""A server that has no descriptor left for another connection."""

import contextlib
import re
import signal
import time

from Support.clients.libraries import wait_until
from Support.load.ordinary_client import OrdinaryClient
from Support.load.resource_check import ResourceCheck
from Support.wire.raw import RawConnection, request

FILES = 200
WAITING = 100
# The server accepts up to four connections at a time, so it may accept three over the limit.
AT_ONCE = 3
# Descriptors that the server reserves when it stops accepting (see SECURITY.md). Without any, a library that needs to
# read a file would terminate the process.
SPARE = 32
# Seconds during which processor use is measured, and the share of them that an idle server may use.
MEASURED, SHARE = 2, 0.25


def lines_about_accepting(server) -> list[str]:
    return [line for line in server.lines if "accepting" in line]


def answers(connection: RawConnection) -> bool:
    return connection.ask(request()).status == 200


def unanswered(connection: RawConnection) -> bool:
    """Whether no data has arrived."""
    connection.socket.setblocking(False)
    try:
        connection.socket.recv(1)
    except BlockingIOError:
        return True
    finally:
        connection.socket.settimeout(20)
    return False


def test_without_free_descriptors_accepting_pauses_and_recovers(start_server):
    own = start_server("--idle-timeout", 600, "--max-steps-per-run", 100_000,
                       wrapper=["prlimit", f"--nofile={FILES}:{FILES}"], counted=True)
    name = f"{FILES} descriptors"
    resources = ResourceCheck(own, name)
    for number in resources.rounds(1):
        with contextlib.ExitStack() as opened:
            if number == 0:
                with OrdinaryClient(own, name, interval=0.1) as other:
                    run_out_of_descriptors(own, resources, opened, other)
            else:
                connections = [opened.enter_context(RawConnection(own)) for _ in range(FILES + WAITING)]
                for connection in connections:
                    connection.send(request())
                for connection in reversed(connections):
                    connection.close()
    # The pause ends when no accept has failed for a while.
    wait_until(lambda: len(lines_about_accepting(own)) == 2, 60)
    assert " warning " in lines_about_accepting(own)[0] and " notice " in lines_about_accepting(own)[1]


def run_out_of_descriptors(own, resources: ResourceCheck, opened: contextlib.ExitStack, other: OrdinaryClient):
    def connect():
        return opened.enter_context(RawConnection(own))

    connections = [connect() for _ in range(FILES + WAITING)]
    for connection in connections:
        connection.send(request())
    paused = own.wait_for_line("accepting pauses")
    # The other client uses two of these.
    room = int(re.search(r"connections=(\d+)", paused)[1]) - 2
    # The server may have accepted these; close them.
    for connection in connections[room:room + AT_ONCE]:
        connection.close()
    # The kernel has accepted the waiting connections; the server has not.
    inside, waiting = connections[:room], connections[room + AT_ONCE:]
    assert len(inside) > FILES // 2 and len(waiting) > WAITING
    # The other client may be between two connections.
    assert FILES - SPARE - 2 <= own.descriptors() <= FILES - SPARE + AT_ONCE
    for connection in inside:
        assert connection.read_response().status == 200

    # The server does not poll: apart from the other client's requests, it is idle.
    used, posted = own.processor_time(), len(other.posted)
    time.sleep(MEASURED)
    used = own.processor_time() - used
    resources.record("processor time while accepting pauses", used / MEASURED * 100, "%")
    assert used < MEASURED * SHARE
    # Accepted clients are still served.
    assert len(other.posted) > posted
    assert all(map(answers, inside))
    assert all(map(unanswered, waiting))
    # The server can still open files.
    own.signal(signal.SIGHUP)
    assert "reloaded" in own.wait_for_line("static files")

    # Each closed connection admits the next waiting one, in order of arrival.
    for connection in inside[:30]:
        connection.close()
    began = time.monotonic()
    for connection in waiting[:30]:
        assert connection.read_response().status == 200
    resources.record("those who waited are answered after", time.monotonic() - began, "s")
    assert all(map(unanswered, waiting[30 + AT_ONCE:]))
    for connection in [*inside[30:], *waiting[:30]]:
        connection.close()
    for connection in waiting[30:]:
        assert connection.read_response().status == 200
    assert answers(connect())
    assert len(lines_about_accepting(own)) == 1, lines_about_accepting(own)
    opened.close()


def test_a_server_without_free_descriptors_ends_in_good_order(start_server):
    own = start_server("--idle-timeout", 600, wrapper=["prlimit", f"--nofile={FILES}:{FILES}"])
    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(RawConnection(own)) for _ in range(FILES + WAITING)]
        wait_until(lambda: lines_about_accepting(own))
        assert answers(connections[0])
        assert own.stop() == 0, own.output
