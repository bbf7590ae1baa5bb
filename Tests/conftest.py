"""Fixtures for all tests that start the server."""

import contextlib
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from Support.clients.access import tokens_file
from Support.servers import certificates, shared
from Support.servers.server import Server
from Support.wire.raw import RawConnection
from Support.wire.raw_websocket import RawWebSocket

# A shell that starts a job in the background ignores SIGINT for it, and a server would inherit that: it could not be
# stopped with SIGINT. A signal that has a handler is set to its default in new programs.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


server = shared.server
secure_server = shared.secure_server


@pytest.fixture(params=["plain", "secure"])
def either(request):
    """The shared server over plain HTTP, then the one over HTTPS."""
    return request.getfixturevalue("server" if request.param == "plain" else "secure_server")


def _guarded(tmp_path_factory, *options):
    folder = tmp_path_factory.mktemp("guarded")
    return Server(["--auth-tokens-file", tokens_file(folder), "--auth-failure-limit", "1000000",
                   "--max-runs", "1000", *options], None, folder)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory):
    """A server with a tokens file (see Support/clients/access.py) over plain HTTP, without a limit of failures."""
    with _guarded(tmp_path_factory) as running:
        yield running


@pytest.fixture(scope="session")
def guarded_tls(tmp_path_factory):
    """The same over HTTPS."""
    with _guarded(tmp_path_factory, "--tls", "dev") as running:
        yield running


@pytest.fixture
def raw(server):
    """A raw connection to the open server."""
    with RawConnection(server) as connection:
        yield connection


@pytest.fixture
def subscriber(server):
    """A raw WebSocket subscriber of the open server that has received its initial_runs."""
    with RawWebSocket(server) as socket:
        assert socket.answer.status == 101
        assert socket.read_json()["type"] == "initial_runs"
        yield socket


@pytest.fixture
def start_server(tmp_path):
    """Starts servers for one test: `start_server(*options, env={...}, cwd=PATH, wrapper=[...])`.

    With `counted=True` the server's `allocations` are counted.
    """
    with contextlib.ExitStack() as started:
        def start(*arguments, env=None, cwd=None, wrapper=(), counted=False) -> Server:
            running = started.enter_context(Server(arguments, env, Path(cwd or tmp_path), wrapper, counted=counted))
            if env and "NN_MONITOR_AUTH_TOKEN" in env:
                running.token = env["NN_MONITOR_AUTH_TOKEN"]
            return running

        yield start


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A certificate authority, certificates that it issued, and certificates that must be refused."""
    folder = tmp_path_factory.mktemp("made")
    authority = certificates.authority(folder)
    other = certificates.authority(folder, "other")
    return SimpleNamespace(
        authority=authority, other=other,
        server=certificates.certificate(folder, "server", authority),
        renewed=certificates.certificate(folder, "renewed", authority),
        client=certificates.certificate(folder, "client", authority),
        stranger=certificates.certificate(folder, "stranger", other),
        expired=certificates.certificate(folder, "expired", days=-1))


@pytest.fixture
def start_tls(start_server, made, tmp_path):
    """Starts a server with copies of `made.server` that a test may overwrite."""

    def start(*options, env=None):
        certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
        certificates.install(made.server, tmp_path)
        running = start_server("--tls-cert-file", certificate, "--tls-key-file", key, *options, env=env)
        running.ca = str(made.authority.certificate)
        return running

    return start
