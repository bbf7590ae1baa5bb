"""Compares what the server found in a recorded network with what is wrong with it."""

from dataclasses import dataclass
from functools import cached_property

from Support.health.networks import Network

#: For how many consecutive reports each rule's condition must hold, where its warning and its critical alert differ
#: the longer.
DURATIONS = {
    "non_finite": 1, "dead_layer": 3, "dead_units": 20, "vanishing_gradient": 10, "exploding_gradient": 3,
    "activation_drift": 3, "frozen_layer": 10, "update_ratio": 20, "saturation": 20, "underflow": 3, "overflow": 1,
    "attention_logits": 3, "entropy_collapse": 3, "router_collapse": 10, "loss_not_finite": 1, "loss_spike": 1,
    "loss_diverging": 10,
}
#: Reports after a rule's duration within which its alert must come.
ALLOWED_DELAY = 10


@dataclass(frozen=True)
class Outcome:
    """A network and what the server answered for it (see `networks.health`)."""

    network: Network
    health: dict

    @cached_property
    def alerts(self) -> list[dict]:
        """The alerts of rules, in the order in which they opened."""
        found = [alert for alert in self.health["alerts"] if alert["source"] == "rule"]
        return sorted(found, key=lambda alert: alert["opened_seq"])

    @cached_property
    def false(self) -> list[dict]:
        """Alerts without a fault: all of a healthy network, those before the fault of a sick one."""
        fault = self.network.fault
        return [alert for alert in self.alerts if fault is None or alert["opened_step"] < fault]

    @cached_property
    def finding(self) -> dict | None:
        """The first alert of an expected rule on an expected layer, from the fault on."""
        network = self.network
        return next(
            (alert for alert in self.alerts
             if network.sick and alert["opened_step"] >= network.fault and alert["rule"] in network.rules
             and (not network.layers or alert["layer"] in network.layers)), None)

    @property
    def delay(self) -> int | None:
        """Reports from the fault to the finding; 1 if the first report with the fault raised it."""
        if self.finding is None:
            return None
        return self.network.reports(bool(self.network.layers), self.network.fault, self.finding["opened_step"])

    @property
    def in_time(self) -> bool:
        return self.finding is not None and self.delay <= DURATIONS[self.finding["rule"]] + ALLOWED_DELAY

    @property
    def origin(self) -> str | None:
        """The layer that the finding's episode names as origin."""
        if self.finding is None:
            return None
        episode = next(one for one in self.health["episodes"] if one["id"] == self.finding["episode"])
        return episode["origin"]["layer"] if episode["origin"] else None

    @property
    def origin_right(self) -> bool:
        return self.origin in self.network.layers
