"""Reads GET /metrics with Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families
from Support.clients.openwire import request

PREFIX = "nnmonitor_"


def families(server) -> dict:
    """The metric families by name; the parser fails where the text is not Prometheus's format."""
    response = request(server, "GET", "/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    # As bytes: `text` guesses the encoding.
    found = list(text_string_to_metric_families(response.content.decode()))
    assert len({family.name for family in found}) == len(found), "a family appears twice"
    return {family.name: family for family in found}


def metrics(server) -> dict:
    """The values by name, without the prefix; by (name, value of the label) where there is a label."""
    values = {}
    for family in families(server).values():
        for sample in family.samples:
            name = sample.name.removeprefix(PREFIX)
            key = (name, next(iter(sample.labels.values()))) if sample.labels else name
            assert key not in values
            values[key] = sample.value
    return values


class Growth:
    """What has grown since this was made."""

    def __init__(self, server):
        self.server = server
        self.before = metrics(server)

    def __call__(self) -> dict:
        """The counters that have other values now, with the differences; the server must serve no others meanwhile."""
        after = metrics(self.server)
        assert after.keys() == self.before.keys(), "a series appeared or disappeared"
        return {key: after[key] - value for key, value in self.before.items()
                if after[key] != value and (key if isinstance(key, str) else key[0]).endswith("_total")}
