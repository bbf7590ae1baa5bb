"""The fixture of the tests of webhooks."""

import pytest
from Support.clients.runs import put

# Waits between attempts that are short enough for tests.
QUICK = ("--alert-retry-base", 0.05, "--alert-retry-max", 0.2)


@pytest.fixture
def start(start_server):
    """Starts a server with receivers and a run `r`: `start(entry, ..., options=[...])`."""

    def start(*entries, options=()):
        server = start_server(*QUICK, *options, env={"NN_MONITOR_ALERT_WEBHOOKS": " ".join(entries)})
        put(server, "r", {}, 201)
        return server

    return start
