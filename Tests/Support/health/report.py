"""Measures precision and recall of the health rules on the recorded networks, with a real server.

    cd Tests && python -m Support.health.report [--singly] [--write PAGE]

The server is the release build, or NN_MONITOR_BINARY. script/health-report calls this.
"""

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

from Support.health.networks import health, networks, post
from Support.health.outcome import ALLOWED_DELAY, Outcome
from Support.servers.server import Server

_BEGIN, _END = "<!-- script/health-report -->", "<!-- end of script/health-report -->"


def measure(server, chosen, prefix="", singly=False) -> list[Outcome]:
    """Posts each network as a run of its own, whose id begins with `prefix`, and reads what the server found."""
    outcomes = []
    for network in chosen:
        run = prefix + network.name
        post(server, network, run, singly)
        outcomes.append(Outcome(network, health(server, run)))
    return outcomes


def table(outcomes: list[Outcome]) -> list[str]:
    """One row a rule, and the sums over healthy networks, as Markdown."""
    lines = [
        "| rule | sick | found | in time | right origin | reports from fault to alert | true alerts "
        "| false warnings | false critical | precision | recall |",
        "|---|---|---|---|---|---|---|---|---|---|---|"]
    true, false = Counter(), Counter()
    for outcome in outcomes:
        false.update((alert["rule"], alert["severity"]) for alert in outcome.false)
        true.update(alert["rule"] for alert in outcome.alerts if alert not in outcome.false)
    ill = [outcome for outcome in outcomes if outcome.network.sick]
    expected = {rule for outcome in ill for rule in outcome.network.rules}
    for rule in sorted(expected | set(true) | {rule for rule, _ in false}):
        sick = [outcome for outcome in ill if rule in outcome.network.rules]
        found = [outcome for outcome in sick if outcome.finding]
        located = [outcome for outcome in found if outcome.network.layers]
        delays = [outcome.delay for outcome in found]
        wrong = false[rule, "warning"] + false[rule, "critical"]
        lines.append("| " + " | ".join([
            f"`{rule}`", str(len(sick) or ""), str(len(found)) if sick else "",
            str(sum(outcome.in_time for outcome in found)) if sick else "",
            f"{sum(outcome.origin_right for outcome in located)} of {len(located)}" if located else "",
            f"{statistics.median_low(delays)}, at most {max(delays)}" if delays else "",
            str(true[rule]), str(false[rule, "warning"]), str(false[rule, "critical"]),
            f"{true[rule] / (true[rule] + wrong):.3f}" if true[rule] + wrong else "",
            f"{len(found) / len(sick):.2f}" if sick else ""]) + " |")
    return lines


def healthy_line(outcomes: list[Outcome]) -> str:
    """The false alarms in healthy networks."""
    healthy = [outcome for outcome in outcomes if not outcome.network.sick]
    reports = sum(outcome.network.layer_reports for outcome in healthy)
    severities = Counter(alert["severity"] for outcome in healthy for alert in outcome.alerts)
    affected = sorted({
        f"{outcome.network.name} ({', '.join(sorted({alert['rule'] for alert in outcome.alerts}))})"
        for outcome in healthy if outcome.alerts})
    text = (
        f"{len(healthy)} healthy runs, {reports} layer-reports: {severities['critical']} critical alerts, "
        f"{severities['warning']} warnings (allowed: {reports // 5000})")
    return f"{text}: {'; '.join(affected)}." if affected else f"{text}."


def page(outcomes: list[Outcome]) -> str:
    """The tables for docs/LAYER_HEALTH.md."""
    parts = [
        "An alert is false where it opens in a healthy run, or before the fault of a sick one; in time: within the "
        f"rule's duration plus {ALLOWED_DELAY} reports."]
    for title, untouched in (("Seeds by which thresholds were chosen", False), ("A seed never used before", True)):
        part = [outcome for outcome in outcomes if outcome.network.untouched == untouched]
        parts += [f"**{title}.** {healthy_line(part)}", "\n".join(table(part))]
    missed = [
        f"{outcome.network.name} ({' or '.join(outcome.network.rules)})" for outcome in outcomes
        if outcome.network.sick and not outcome.in_time]
    if missed:
        parts.append(f"Not found in time: {', '.join(missed)}.")
    return "\n\n".join(parts) + "\n"


def write(path: Path, text: str) -> None:
    """Replaces what stands between the two marks in a page."""
    before, found, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        sys.exit(f"health-report: {path} needs the lines {_BEGIN} and {_END}")
    path.write_text(f"{before}{_BEGIN}\n{text}{_END}{after}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="Precision and recall of the health rules on the recorded networks.")
    parser.add_argument("--singly", action="store_true", help="one request a step instead of one a run")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page, between its marks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Server(["--max-runs", "1000"], None, Path(folder)) as server:
        outcomes = measure(server, networks(), singly=options.singly)
    text = page(outcomes)
    print(text, end="")
    if options.write:
        write(options.write, text)


if __name__ == "__main__":
    main()
