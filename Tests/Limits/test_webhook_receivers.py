"""Alerts for many receivers: each connection, delivered or not, is given back."""

import socket
import struct

from Support.clients.alerts import counts, post
from Support.clients.libraries import wait_until
from Support.clients.runs import path, put, send
from Support.load.resource_check import ResourceCheck
from Support.servers.receiver import Receiver

# Alerts in each round, for each receiver.
ALERTS = 100


def reset(_, __, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_alerts_leave_nothing_behind_whatever_their_receivers_do(start_server, made):
    with (Receiver(certificate=made.server) as good, Receiver(certificate=made.stranger) as untrusted,
          Receiver(reset, certificate=made.server) as broken, Receiver(reset) as plain):
        own = start_server(
            "--alert-ca-file", made.authority.certificate, "--alert-retries", 1, "--alert-retry-base", 0.001,
            "--alert-queue", ALERTS, "--idle-timeout", 600, counted=True,
            env={"NN_MONITOR_ALERT_WEBHOOKS": f"slack=https://localhost:{good.port}/a "
                 f"json=https://localhost:{untrusted.port}/b json=https://localhost:{broken.port}/c "
                 f"json=http://127.0.0.1:{plain.port}/d"})
        # The test's own connection stays open from here on.
        assert send(own, "GET", path("r")).status_code == 404 and counts(own) == {}
        for number in ResourceCheck(own).rounds():
            put(own, "r", {}, 201)
            post(own, *(f"{number} {alert}" for alert in range(ALERTS)))
            done = ALERTS * (number + 1)
            wanted = {"delivered": done, "failed": 3 * done}
            wait_until(lambda: wanted.items() <= counts(own).items(), 120)  # noqa: B023
            assert send(own, "DELETE", path("r")).status_code == 204
            # The receivers' own records are not the server's.
            for receiver in (good, untrusted, broken, plain):
                receiver.messages.clear()
        assert "queue" not in counts(own)
