"""Counts the verdicts in Autobahn's index.json; fails on any that is not OK or INFORMATIONAL, NON-STRICT included."""

import json
import sys
from collections import Counter

with open(sys.argv[1], encoding="utf-8") as file:
    reports = json.load(file)
verdicts = Counter(case["behavior"] for agent in reports.values() for case in agent.values())
print(", ".join(f"{count} {name}" for name, count in sorted(verdicts.items(), reverse=True)), end="")
sys.exit(0 if verdicts and verdicts.keys() <= {"OK", "INFORMATIONAL"} and verdicts["INFORMATIONAL"] <= 3 else 1)
