"""Measures NNMonitor beside its peers; script/bench runs it. Each row ends with a check that the work was done."""

import sys
import time
import warnings
from pathlib import Path

import rows_connections
import rows_ingest
import rows_profile
import rows_series
import rows_store
import rows_watch

ROWS = {
    "decode": rows_ingest.decode, "ingest-50": rows_ingest.ingest_50, "ingest-5": rows_ingest.ingest_5,
    "ingest-gzip": rows_ingest.ingest_gzip, "fan-out": rows_watch.fan_out, "memory": rows_store.memory,
    "history": rows_store.history, "lite": rows_store.lite, "latency": rows_watch.latency, "idle": rows_watch.idle,
    "handshakes": rows_connections.handshakes, "health": rows_connections.health,
    "pipelines": rows_connections.pipelines, "growth": rows_store.growth, "start": rows_connections.start,
    "profile": rows_profile.profile, "series": rows_series.series, "matrix": rows_series.matrix,
    "ingest-v2": rows_ingest.ingest_v2, "ingest-v2-batch": rows_ingest.ingest_v2_batch,
}
DOCUMENT = Path(__file__).resolve().parents[1] / "docs/PERFORMANCE.md"
BEGIN, END = "<!-- script/bench writes from here -->\n", "<!-- to here -->\n"


class Report:
    """The lines of one row's table."""

    def __init__(self):
        self.lines: list[tuple[str, str, str]] = []
        self.missed = False

    def figure(self, name: str, value: float, unit: str, more: str = ""):
        self.lines.append((name, f"{number(value)} {unit}".strip() + (f", {more}" if more else ""), ""))

    def ratio(self, name: str, value: float, at_most: float | None = None, at_least: float | None = None):
        good = value <= at_most if at_most is not None else value >= at_least
        target = f"at most {number(at_most)}" if at_most is not None else f"at least {number(at_least)}"
        self.lines.append((f"**{name}**", f"**{number(value)}**", f"{target}: {'met' if good else 'missed'}"))
        self.missed |= not good

    def bound(self, name: str, value: float, unit: str, at_most: float):
        good = value <= at_most
        self.lines.append((
            f"**{name}**", f"**{number(value)} {unit}**", f"at most {number(at_most)}: {'met' if good else 'missed'}"))
        self.missed |= not good


def number(value: float) -> str:
    """`value` with three significant digits."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}".replace(",", " ")
    return f"{value:.3g}"


def main():
    warnings.filterwarnings("ignore", message="Unverified HTTPS")
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    for name in arguments:
        if name not in ROWS:
            sys.exit(f"bench: no row '{name}'; the rows are {', '.join(ROWS)}")
    wanted = arguments or list(ROWS)
    text = ""
    for place, name in enumerate(ROWS, 1):
        if name not in wanted:
            continue
        report, began = Report(), time.monotonic()
        ROWS[name](report)
        print(f"\n{place}. {name}: {ROWS[name].__doc__} ({time.monotonic() - began:.0f} s)")
        for line in report.lines:
            print("   {:<58} {:<52} {}".format(*line).rstrip(), flush=True)
        text += f"### {place}. {ROWS[name].__doc__} (`{name}`)\n\n| | | target |\n|---|---|---|\n"
        text += "".join("| {} | {} | {} |\n".format(*line) for line in report.lines) + "\n"
    if "--write" in sys.argv:
        if arguments:
            sys.exit("bench: --write writes all rows of one run; leave the row names out")
        page = DOCUMENT.read_text()
        before, rest = page.split(BEGIN)
        DOCUMENT.write_text(before + BEGIN + "\n" + text + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
