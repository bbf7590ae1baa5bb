"""A server that has no descriptor left for another connection."""

import contextlib
import re
import signal
import time

from support.bystander import Bystander
from support.clients import wait_until
from support.raw import RawConnection, request
from support.vitals import Vitals

FILES = 200
WAITING = 100
# The server accepts up to four at a time, so it may have three more inside than there is room for.
AT_ONCE = 3
# What a server that takes no more connections keeps for itself (see SECURITY.md): without any it would be ended by a
# library that wants to read a file.
SPARE = 32
# Seconds in which the use of the processor is measured, and the part of them that a server may use that waits.
MEASURED, SHARE = 2, 0.25


def lines_about_accepting(server) -> list[str]:
    return [line for line in server.lines if "accepting" in line]


def answers(connection: RawConnection) -> bool:
    return connection.ask(request()).status == 200


def unanswered(connection: RawConnection) -> bool:
    """Whether nothing has come yet."""
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
    vitals = Vitals(own, name)
    for number in vitals.rounds(1):
        with contextlib.ExitStack() as opened:
            if number == 0:
                with Bystander(own, name, interval=0.1) as other:
                    run_out_of_descriptors(own, vitals, opened, other)
            else:
                connections = [opened.enter_context(RawConnection(own)) for _ in range(FILES + WAITING)]
                for connection in connections:
                    connection.send(request())
                for connection in reversed(connections):
                    connection.close()
    # The pause is over when nothing has failed for a while.
    wait_until(lambda: len(lines_about_accepting(own)) == 2, 60)
    assert " warning " in lines_about_accepting(own)[0] and " notice " in lines_about_accepting(own)[1]


def run_out_of_descriptors(own, vitals: Vitals, opened: contextlib.ExitStack, other: Bystander):
    def connect():
        return opened.enter_context(RawConnection(own))

    connections = [connect() for _ in range(FILES + WAITING)]
    for connection in connections:
        connection.send(request())
    paused = own.wait_for_line("accepting pauses")
    # The other client has two of these.
    room = int(re.search(r"connections=(\d+)", paused)[1]) - 2
    # These may be inside or not, and leave.
    for connection in connections[room:room + AT_ONCE]:
        connection.close()
    # The kernel has taken the others in, and the server has not.
    inside, waiting = connections[:room], connections[room + AT_ONCE:]
    assert len(inside) > FILES // 2 and len(waiting) > WAITING
    # The other client may be between two connections.
    assert FILES - SPARE - 2 <= own.descriptors() <= FILES - SPARE + AT_ONCE
    for connection in inside:
        assert connection.read_response().status == 200

    # It waits instead of asking again and again: apart from what the other client costs, nothing happens.
    used, posted = own.processor_time(), len(other.posted)
    time.sleep(MEASURED)
    used = own.processor_time() - used
    vitals.record("processor time while accepting pauses", used / MEASURED * 100, "%")
    assert used < MEASURED * SHARE
    # Who is inside is served as before.
    assert len(other.posted) > posted
    assert all(map(answers, inside))
    assert all(map(unanswered, waiting))
    # It can still open what it needs.
    own.signal(signal.SIGHUP)
    assert "reloaded" in own.wait_for_line("static files")

    # Each that leaves lets one in who waits, first come, first served.
    for connection in inside[:30]:
        connection.close()
    began = time.monotonic()
    for connection in waiting[:30]:
        assert connection.read_response().status == 200
    vitals.record("those who waited are answered after", time.monotonic() - began, "s")
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
