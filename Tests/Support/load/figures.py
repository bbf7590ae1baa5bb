"""Figures that tests take, kept for docs/RELIABILITY.md."""

import json
import os


def record_figure(name: str, value: float, unit: str):
    """Appends one figure to the file of JSON lines that NN_MONITOR_FIGURES names; without it, does nothing."""
    path = os.environ.get("NN_MONITOR_FIGURES")
    if not path:
        return
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    rounded = value if isinstance(value, int) else float(f"{value:.4g}")
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps({"test": test, "name": name, "value": rounded, "unit": unit}) + "\n")
