"""Fixtures of servers that all tests of a session share, so each test uses its own run ids.

A `conftest.py` that lists them has servers of its own, which the tests in its folder share.
"""

import secrets

import pytest

from .server import Server

# Tests make thousands of runs, and none may be evicted.
OPTIONS = ("--max-runs", "100000")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """An open server over plain HTTP on loopback."""
    with Server(OPTIONS, None, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def secure_server(tmp_path_factory):
    """A server over HTTPS with a development certificate and a token with every scope."""
    token = secrets.token_urlsafe(24)
    with Server(["--tls", "dev", *OPTIONS], {"NN_MONITOR_AUTH_TOKEN": token},
                tmp_path_factory.mktemp("secure")) as running:
        running.token = token
        yield running
