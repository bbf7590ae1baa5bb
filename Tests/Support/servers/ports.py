"""Ports for programs that cannot choose one by themselves."""

import socket


def free_port() -> int:
    """A port of loopback at which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
