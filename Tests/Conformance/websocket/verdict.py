"""Counts the verdicts in Autobahn's index.json; fails unless all 517 cases have run and each is OK, or INFORMATIONAL
where RFC 6455 leaves the choice."""

import json
import sys
from collections import Counter

CASES = 517
# Data after a close frame; close codes 5000 and 65535.
LEFT_OPEN = {"7.1.6", "7.13.1", "7.13.2"}

with open(sys.argv[1], encoding="utf-8") as file:
    (verdicts,) = ({case: result["behavior"] for case, result in agent.items()} for agent in json.load(file).values())
print(", ".join(f"{count} {name}" for name, count in sorted(Counter(verdicts.values()).items(), reverse=True)), end="")
wanted = {case: "INFORMATIONAL" if case in LEFT_OPEN else "OK" for case in verdicts}
sys.exit(0 if len(verdicts) == CASES and verdicts == wanted else 1)
