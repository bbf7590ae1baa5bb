"""The health rules on recorded networks: each fault is found in time and in its layer, and healthy ones stay quiet."""

import pytest
from Support.health.networks import networks
from Support.health.report import measure
from Support.payloads import run_id

SICK = [network.name for network in networks() if network.sick]
LOCATED = [network.name for network in networks() if network.layers]
HEALTHY = [network.name for network in networks() if not network.sick]
# What depends on the run's name and on the clock.
OWN = ("run_id", "opened_at", "last_at", "closed_at", "url")


@pytest.fixture(scope="module")
def outcomes(server):
    """What the server found, by the network's name. Each was posted as one batch."""
    return {outcome.network.name: outcome for outcome in measure(server, networks(), run_id("networks"))}


@pytest.mark.parametrize("name", SICK)
def test_a_fault_is_found_on_its_layer_in_time(outcomes, name):
    outcome = outcomes[name]
    assert outcome.finding, [(alert["rule"], alert["layer"], alert["opened_step"]) for alert in outcome.alerts]
    assert outcome.in_time, (outcome.delay, outcome.finding)


@pytest.mark.parametrize("name", LOCATED)
def test_the_origin_of_a_fault_is_its_layer(outcomes, name):
    outcome = outcomes[name]
    assert outcome.origin in outcome.network.layers, outcome.health["episodes"]


@pytest.mark.parametrize("name", SICK)
def test_nothing_critical_before_a_fault(outcomes, name):
    assert [alert for alert in outcomes[name].false if alert["severity"] == "critical"] == []


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_network_has_no_critical_alert(outcomes, name):
    assert [alert for alert in outcomes[name].alerts if alert["severity"] == "critical"] == []


def test_healthy_networks_have_a_warning_in_5000_layer_reports_at_most(outcomes):
    healthy = [outcomes[name] for name in HEALTHY]
    warnings = [
        (outcome.network.name, alert["rule"], alert["layer"]) for outcome in healthy for alert in outcome.alerts]
    assert len(warnings) <= sum(outcome.network.layer_reports for outcome in healthy) / 5000, warnings


def test_steps_posted_singly_give_the_alerts_of_a_batch(server, outcomes):
    chosen = [network for network in networks() if network.seed == 1]
    for singly in measure(server, chosen, run_id("singly"), singly=True):
        batch = outcomes[singly.network.name]
        for one, other in zip(singly.alerts, batch.alerts, strict=True):
            assert {key: value for key, value in one.items() if key not in OWN} == {
                key: value for key, value in other.items() if key not in OWN}
