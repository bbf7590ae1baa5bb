"""What the guards share: the server's tests' own support, and the tools that script/test builds for them."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from Support.servers.server import Server

ROOT = Path(__file__).resolve().parents[2]
# `counting` makes its payloads with examples/simulate.py.
sys.path.insert(0, str(ROOT / "examples"))


@pytest.fixture
def counted_server(tmp_path):
    """Starts servers whose `allocations` are counted."""
    with contextlib.ExitStack() as started:
        def start(*options) -> Server:
            return started.enter_context(Server(["--log-level", "warning", *options], None, tmp_path, counted=True))

        yield start


@pytest.fixture(scope="session")
def core(tmp_path_factory) -> str:
    """Benchmarks/CoreBench, as script/build builds it, without debug information: valgrind can't read all that Swift writes."""
    built = os.environ.get("NN_MONITOR_CORE_BENCH", str(ROOT / ".build/release/CoreBench"))
    stripped = tmp_path_factory.mktemp("core") / "CoreBench"
    subprocess.run(["strip", "--strip-debug", "-o", stripped, built], check=True)
    return str(stripped)
