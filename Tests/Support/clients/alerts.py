"""Alerts of a trainer, and what became of their messages."""

from .libraries import wait_until
from .metrics import metrics
from .runs import path, send

RESULTS = ("delivered", "refused", "failed", "queue_full", "stopped")


def entry(receiver) -> str:
    """The entry of a receiver in ALERT_WEBHOOKS, with a secret in its address."""
    return f"json=http://127.0.0.1:{receiver.port}/hook-s3cret"


def post(server, *titles: str):
    """Posts a critical alert of the run `r` for each title."""
    for title in titles:
        response = send(server, "POST", path("r") + "/alerts", {"level": "critical", "title": title})
        assert response.status_code == 202, response.text


def counts(server) -> dict:
    """The counts of messages that are not 0, and `queue` and `retries`."""
    values = metrics(server)
    found = {name: values["webhook_messages_total", name] for name in RESULTS}
    found |= {"retries": values["webhook_retries_total"], "queue": values["webhook_queue"]}
    return {name: value for name, value in found.items() if value}


def settled(server, **wanted):
    """Waits until the counts are these."""
    wait_until(lambda: counts(server) == wanted or None, 60)


def titles(messages) -> list[str]:
    """The titles of messages in the format json."""
    return [message.json["episode"]["title"] for message in messages]
