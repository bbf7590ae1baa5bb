"""A server that has no descriptor left for another connection."""

import contextlib
import time

from support.bystander import Bystander
from support.clients import wait_until
from support.raw import RawConnection, request
from support.vitals import Vitals

FILES = 200
WAITING = 100
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
                       wrapper=["prlimit", f"--nofile={FILES}:{FILES}"])
    name = f"{FILES} descriptors"
    with Vitals(own, name) as vitals, contextlib.ExitStack() as opened:
        with Bystander(own, name, interval=0.1) as other:
            def connect():
                return opened.enter_context(RawConnection(own))

            inside = []
            # Looked at twice: the server opens a file for a moment now and then.
            while min(own.descriptors(), own.descriptors()) < FILES:
                inside.append(connect())
                assert answers(inside[-1])
            # The kernel takes these in; the server cannot.
            waiting = [connect() for _ in range(WAITING)]
            for connection in waiting:
                connection.send(request())
            wait_until(lambda: lines_about_accepting(own))

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

            # Each that leaves lets one in who waits, first come, first served.
            for connection in inside[:30]:
                connection.close()
            began = time.monotonic()
            for connection in waiting[:30]:
                assert connection.read_response().status == 200
            vitals.record("those who waited are answered after", time.monotonic() - began, "s")
            assert all(map(unanswered, waiting[30:]))
            for connection in [*inside[30:], *waiting[:30]]:
                connection.close()
            for connection in waiting[30:]:
                assert connection.read_response().status == 200
            assert answers(connect())
            assert len(lines_about_accepting(own)) == 1, lines_about_accepting(own)
            opened.close()
    # The time is over when nothing has failed for a while.
    wait_until(lambda: len(lines_about_accepting(own)) == 2, 60)
    assert " warning " in lines_about_accepting(own)[0] and " notice " in lines_about_accepting(own)[1]


def test_a_server_without_free_descriptors_ends_in_good_order(start_server):
    own = start_server("--idle-timeout", 600, wrapper=["prlimit", f"--nofile={FILES}:{FILES}"])
    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(RawConnection(own)) for _ in range(FILES)]
        wait_until(lambda: lines_about_accepting(own))
        assert answers(connections[0])
        assert own.stop() == 0, own.output
