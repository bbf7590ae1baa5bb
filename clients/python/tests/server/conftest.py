"""Fixtures of the tests that start servers of their own."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nnmonitor as nnm
from support.front import Front, Remote
from support.proxy import CuttingProxy
from support.server import BINARY, RealServer

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"


@pytest.fixture(autouse=True)
def real_servers_only():
    """The server's program must be named: there is nothing to test without it."""
    if not BINARY:
        pytest.skip("NN_MONITOR_BINARY names no server")


@pytest.fixture
def serve(tmp_path, made):
    """Starts servers: `serve(certificate=NAME, SETTING=VALUE, ...)`. `made` has the certificates."""
    opened = []

    def start(certificate="server", **settings):
        folder = tmp_path / f"server-{len(opened)}"
        folder.mkdir()
        opened.append(RealServer(folder, made[certificate], **settings))
        return opened[-1].start()

    yield start
    for one in opened:
        one.kill()


@pytest.fixture
def serve_expired(serve):
    """A server whose certificate expired after its start: it would not start with it. Its clock is three days late."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        pytest.skip("libfaketime is not installed")
    late = {"LD_PRELOAD": found[0], "FAKETIME": "-3d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return lambda: serve("expired", environment=late)


@pytest.fixture
def server(serve):
    """A server with the usual settings."""
    return serve()


@pytest.fixture
def example(server, tmp_path):
    """Runs one as a user does, with the line of the server's banner and the token in the environment."""

    def run(name, *arguments, identifier):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NN_MONITOR_TEST_")}
        variables = {
            **kept, **server.banner_settings, "NN_MONITOR_TOKEN": server.token, "NN_MONITOR_RUN_ID": identifier,
        }
        ended = subprocess.run(
            [sys.executable, str(EXAMPLES / name), *arguments], env=variables, cwd=tmp_path, capture_output=True,
            text=True, timeout=280)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run


@pytest.fixture
def trust(made):
    """What `init` needs to trust the servers of `serve`, and be trusted."""
    return lambda server: {"token": server.token, "ca": str(made["authority"].certificate)}


@pytest.fixture
def begin(trust):
    """Begins a run: `begin(server, url=None, **options)`. The address may be that of a proxy."""
    return lambda server, url=None, **options: nnm.init(url=url or server.url, **{**trust(server), **options})


@pytest.fixture
def faulty(made):
    """An HTTPS proxy with faults before a server."""
    opened = []

    def start(server):
        remote = Remote(server.url, server.token, str(made["authority"].certificate))
        opened.append(Front(certificate=made["server"], remote=remote))
        return opened[-1]

    yield start
    for one in opened:
        one.clear()
        one.down()


@pytest.fixture
def cutting():
    """A TCP proxy before a server that cuts connections after so many bytes: `cutting(server, [BYTES, ...])`."""
    opened = []

    def start(server, cuts):
        opened.append(CuttingProxy(server.port, cuts))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def alone():
    """The result of 60 steps of training without the monitor."""
    from support import learning

    return learning.train(60)
