"""A server started by a test ends with the test, however the test ends. Verified with a nested pytest run."""

import signal
import sys
import threading
from pathlib import Path

import pytest
from Support.clients.libraries import healthy, wait_until
from Support.servers import processes
from Support.servers.server import ROOT, Server

HEADER = f"""
import sys, time
from pathlib import Path
import pytest
sys.path.insert(0, {str(ROOT / "Tests")!r})
from Support.servers.server import Server

folder = Path(__file__).parent

def started():
    server = Server([], None, folder)
    new = folder / "pid.new"
    new.write_text(str(server.process.pid))
    new.rename(folder / "pid")
    return server

def ended():
    return not Path("/proc", (folder / "pid").read_text()).exists()
"""

WAITS = """
def test_waits():
    with started():
        time.sleep(600)
"""

RAISES = {
    "setup": """
@pytest.fixture
def server():
    with started() as server:
        raise RuntimeError("in the setup")
        yield server

def test_first(server):
    pass
""",
    "test": """
def test_first():
    with started():
        raise RuntimeError("in the test")
""",
    "teardown": """
@pytest.fixture(scope="module")
def server():
    with started() as server:
        yield server
        raise RuntimeError("in the teardown")

def test_first(server):
    pass
""",
}

THEN = """
def test_then():
    assert ended()
"""


def inner(folder: Path, text: str, *options):
    file = folder / "test_inner.py"
    file.write_text(HEADER + text)
    with open(folder / "output", "wb") as output:
        return processes.start(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--rootdir", folder, *options, file],
            cwd=folder, stdout=output, stderr=output)


def is_running(pid: str) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pid_of_its_server(folder: Path) -> str:
    return wait_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text(), 60)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_server_ends_when_its_test_process_gets_a_signal(tmp_path, number):
    with inner(tmp_path, WAITS) as tests:
        pid = pid_of_its_server(tmp_path)
        assert is_running(pid)
        tests.send_signal(number)
        tests.wait(60)
    wait_until(lambda: not is_running(pid), 60)


@pytest.mark.parametrize("method", ["thread", "signal"])
def test_a_server_ends_when_its_test_has_timed_out(tmp_path, method):
    with inner(tmp_path, WAITS, "--timeout", "3", "--timeout-method", method) as tests:
        assert tests.wait(60) != 0
    pid = pid_of_its_server(tmp_path)
    wait_until(lambda: not is_running(pid), 60)
    assert "Timeout" in (tmp_path / "output").read_text()


@pytest.mark.parametrize("place", RAISES)
def test_a_server_ends_when_something_is_raised_and_other_tests_go_on(tmp_path, place):
    # A module-scoped fixture is torn down after the module's last test.
    text = RAISES[place] + (THEN if place != "teardown" else "")
    with inner(tmp_path, text) as tests:
        assert tests.wait(60) == 1
    output = (tmp_path / "output").read_text()
    assert f"in the {place}" in output
    assert "1 error" in output or "1 failed" in output
    assert not is_running(pid_of_its_server(tmp_path))


def test_a_server_outlives_the_thread_that_started_it(tmp_path):
    servers = []
    thread = threading.Thread(target=lambda: servers.append(Server([], None, tmp_path)))
    thread.start()
    thread.join(60)
    with servers[0] as server:
        healthy(server)
