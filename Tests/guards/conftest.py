"""What the guards share: the server's tests' own support, and the tools that script/test builds for them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "Tests/Integration"), str(ROOT / "examples")]

from support.server import Server  # noqa: E402


@pytest.fixture
def counted_server(tmp_path):
    """Starts the server with every allocation counted; stops it at the end. `server.counts()` gives calls and bytes in use."""
    from counting import Counts, preloaded
    servers = []

    def start(*options) -> Server:
        file = tmp_path / f"allocations-{len(servers)}"
        server = Server(["--log-level", "warning", *map(str, options)], preloaded(file), tmp_path)
        server.counts = Counts(file)
        servers.append(server)
        return server
    yield start
    for server in servers:
        assert server.stop() == 0, server.output


@pytest.fixture(scope="session")
def core(tmp_path_factory) -> str:
    """Benchmarks/CoreBench, as script/build builds it, without debug information: valgrind can't read all that Swift writes."""
    built = os.environ.get("NN_MONITOR_CORE_BENCH", str(ROOT / ".build/release/CoreBench"))
    stripped = tmp_path_factory.mktemp("core") / "CoreBench"
    subprocess.run(["strip", "--strip-debug", "-o", stripped, built], check=True)
    return str(stripped)
