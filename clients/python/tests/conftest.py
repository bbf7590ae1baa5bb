"""Fixtures. With `NN_MONITOR_BINARY`, the program of the server, the tests of delivery run against the real server over
TLS, behind the same faults, and those of `tests/server` run at all. `NN_MONITOR_TEST_URL` names a running one instead.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nnmonitor
from nnmonitor import timing
from nnmonitor.recording import process
from support import certificates
from support.front import Front
from support.server import BINARY, RealServer
from support.training import Trainer

# On a busy machine the waiting threads of OpenMP take the processor from those that work: fifty times slower. Programs
# that tests start inherit it; PyTorch reads it when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """No setting of the machine counts, no run is left over, and the client is impatient."""
    for name in list(os.environ):
        if name.startswith("NN_MONITOR_") and not name.startswith("NN_MONITOR_TEST_"):
            monkeypatch.delenv(name)
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NN_MONITOR_DIR", str(tmp_path / "spools"))
    # Retries and polls follow fast; no test asserts these times. The end of a run may take its time.
    impatient = {
        "poll": 0.02, "share": 1.0, "idle_flush": 0.2, "retry_base": 0.02, "retry_cap": 0.1, "refused_retry": 0.2,
        "retry_after_cap": 1.0,
    }
    for name, value in impatient.items():
        monkeypatch.setattr(timing.TIMING, name, value)
    monkeypatch.setenv("NN_MONITOR_EXIT_TIMEOUT", "60")
    yield
    if nnmonitor._current is not None and not nnmonitor._current._closed:
        nnmonitor._current._settings.exit_timeout = 0.0
        nnmonitor.finish()
    nnmonitor._current = None
    nnmonitor._notices = nnmonitor.Notices()
    assert process._active == []


@pytest.fixture(scope="session", autouse=True)
def real_server(tmp_path_factory, made):
    """The real server behind all fronts, where its program is named; its address is in the environment."""
    if not BINARY or os.environ.get("NN_MONITOR_TEST_URL"):
        yield
        return
    server = RealServer(tmp_path_factory.mktemp("server"), made["server"]).start()
    of_fronts = {"URL": server.url, "TOKEN": server.token, "CA": str(made["authority"].certificate)}
    os.environ.update({f"NN_MONITOR_TEST_{name}": value for name, value in of_fronts.items()})
    yield
    for name in of_fronts:
        del os.environ[f"NN_MONITOR_TEST_{name}"]
    server.stop()


@pytest.fixture
def front():
    made = Front()
    yield made
    made.clear()
    made.down()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Certificates: `authority`, `other`, `server`, `renewed`, `expired`, `elsewhere`."""
    folder = tmp_path_factory.mktemp("certificates")
    pairs = {"authority": certificates.authority(folder, "authority"), "other": certificates.authority(folder, "other")}
    pairs["server"] = certificates.server(folder, "server", pairs["authority"])
    pairs["renewed"] = certificates.server(folder, "renewed", pairs["authority"])
    pairs["expired"] = certificates.server(folder, "expired", pairs["authority"], expired=True)
    pairs["elsewhere"] = certificates.server(folder, "elsewhere", pairs["authority"], host="elsewhere.example")
    return pairs


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """A copy of the package's source, in which it can be built."""
    copied = tmp_path_factory.mktemp("source") / "python"
    shutil.copytree(ROOT, copied, ignore=shutil.ignore_patterns("build", "*.egg-info", ".*", "__pycache__"))
    return copied


@pytest.fixture(scope="session")
def wheel(source, tmp_path_factory):
    """Built without the network: setuptools is installed with the tests."""
    pytest.importorskip("setuptools", minversion="64")
    pytest.importorskip("wheel")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(folder), str(source)], check=True, timeout=280)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def secure(made):
    """A front with TLS."""
    opened = []

    def start(name="server"):
        opened.append(Front(certificate=made[name]))
        return opened[-1]

    yield start
    for one in opened:
        one.down()


@pytest.fixture
def log_lines(caplog):
    """What the client logged, as texts."""
    caplog.set_level(logging.INFO, logger="nnmonitor")

    def lines(containing=""):
        return [record.getMessage() for record in caplog.records if containing in record.getMessage()]

    return lines


@pytest.fixture
def until():
    """Waits for a condition. The deadline is against hanging only."""

    def wait(condition, seconds=120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.01)
        raise AssertionError("the condition did not come true")

    return wait


@pytest.fixture
def trainer(tmp_path, until):
    """Starts training programs as processes of their own."""
    opened = []

    def start(code, wrapper=(), **environment):
        opened.append(Trainer(code, tmp_path, environment, wrapper=wrapper))
        return opened[-1]

    yield start
    for one in opened:
        one.stop()
