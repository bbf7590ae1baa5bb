"""How an answer of GET .../health is compared with the known fault of a network."""

from Support.health.networks import Network
from Support.health.outcome import Outcome
from Support.health.report import page


def network(fault, rules=("dead_units",), layers=("b",), every=1) -> Network:
    made = Network("made-1", "made", 1, False, fault, rules, layers, ())
    made.__dict__["steps"] = [
        {"step": step, "scalars": {"train/loss": 1.0},
         **({"layers": ["a", "b"], "metrics": {"x": [1.0, None]}} if step % every == 0 else {})}
        for step in range(200)]
    return made


def answer(*alerts) -> dict:
    """Alerts as (rule, layer, opened step, severity); all in one episode, whose origin is the last one's layer."""
    made = [
        {"id": str(place), "episode": "1", "source": "rule", "rule": rule, "layer": layer, "opened_step": step,
         "opened_seq": place, "severity": severity} for place, (rule, layer, step, severity) in enumerate(alerts)]
    return {"alerts": made, "episodes": [{"id": "1", "origin": {"layer": alerts[-1][1]} if alerts else None}]}


def test_the_first_expected_alert_from_the_fault_on_is_the_finding():
    outcome = Outcome(network(100), answer(
        ("dead_units", "b", 50, "warning"), ("dead_units", "a", 105, "critical"), ("dead_layer", "b", 106, "critical"),
        ("dead_units", "b", 119, "warning"), ("dead_units", "b", 150, "warning")))
    assert outcome.finding["opened_step"] == 119 and outcome.delay == 20 and outcome.in_time
    assert outcome.origin == "b" and outcome.origin_right
    assert [alert["opened_step"] for alert in outcome.false] == [50]


def test_a_delay_counts_reports_of_layers():
    outcome = Outcome(network(100, every=5), answer(("dead_units", "b", 195, "warning")))
    assert outcome.delay == 20 and outcome.in_time


def test_a_finding_about_the_run_needs_no_layer_and_counts_losses():
    made = network(100, ("loss_spike",), (), every=5)
    assert Outcome(made, answer(("loss_spike", None, 110, "warning"))).delay == 11
    assert Outcome(made, answer(("loss_spike", None, 110, "warning"))).in_time
    assert not Outcome(made, answer(("loss_spike", None, 111, "warning"))).in_time


def test_every_alert_in_a_healthy_network_is_false():
    outcome = Outcome(network(None), answer(("dead_units", "b", 10, "warning"), ("dead_layer", "a", 50, "critical")))
    assert len(outcome.false) == 2 and outcome.finding is None and outcome.network.layer_reports == 200


def test_the_page_has_precision_and_recall():
    text = page([
        Outcome(network(100), answer(("dead_units", "b", 110, "warning"))),
        Outcome(network(100), answer(("frozen_layer", "b", 110, "warning"))),
        Outcome(network(None), answer(("dead_units", "a", 110, "warning")))])
    assert "| `dead_units` | 2 | 1 | 1 | 1 of 1 | 11, at most 11 | 1 | 1 | 0 | 0.500 | 0.50 |" in text
    assert "1 healthy runs, 200 layer-reports: 0 critical alerts, 1 warnings (allowed: 0): made-1 (dead_units)." in text
    assert "Not found in time: made-1 (dead_units)." in text
