"""Starts servers in their usual configurations and runs schemathesis against each; called by `check`."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests"))

from Support.clients.libraries import post_steps, session  # noqa: E402
from Support.servers import processes  # noqa: E402
from Support.servers.server import Server  # noqa: E402

DOCUMENT = ROOT / "static/openapi.json"
# Each must have run, on all operations but that of `/ws` (see below).
PHASES = ["Examples", "Coverage", "Fuzzing", "Stateful"]
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
OPERATIONS = sum(len(METHODS & item.keys()) for item in json.loads(DOCUMENT.read_text())["paths"].values()) - 2
TOOLS = ROOT / ".build/schemathesis-venv/bin"
TOKEN = "conformance-token-51f0c2a9"

# What is excluded, and why.
# An HTTP client cannot send the Connection: Upgrade that makes the request valid.
# A stream of events does not end.
EXCLUDED = ["--exclude-path", "/ws", "--exclude-path", "/api/v2/events"]
OPEN = ["--exclude-checks", "ignored_auth"]  # An open server requires no token.

WAYS = [
    ("open server", None, None, OPEN),
    ("with a token", TOKEN, TOKEN, []),
    ("without the token", TOKEN, None, []),
]


def report(check: str, result: str, passed: bool):
    row = f"api\t{check}\t{result}\t{'ok' if passed else 'failed'}"
    print(row.expandtabs(24), flush=True)
    if table := os.environ.get("CONFORMANCE_TABLE"):
        with open(table, "a", encoding="utf-8") as file:
            file.write(row + "\n")


def run(command: list) -> tuple[int, str]:
    done = processes.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200",
                               "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(Path(__file__).parent)})
    return done.returncode, done.stdout


def validate() -> bool:
    code, output = run([TOOLS / "openapi-spec-validator", DOCUMENT])
    report("document is OpenAPI 3.1", "valid" if code == 0 else output.strip()[-200:], code == 0)
    return code == 0


def explore(name: str, configured: str | None, shown: str | None, options: list[str], examples: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        settings = {"NN_MONITOR_AUTH_TOKEN": configured} if configured else None
        server = Server(["--auth-failure-limit", 1_000_000, "--max-runs", 50], settings, Path(folder))
        server.token = configured
        with session(server) as client:
            post_steps(client, server, "mnist-42", range(3))
        token = ["--header", f"Authorization: Bearer {shown}"] if shown else []
        code, output = run([
            TOOLS / "schemathesis", "--config-file", Path(__file__).with_name("schemathesis.toml"), "run", DOCUMENT,
            "--url", server.url, "--checks", "all", "--mode", "all", "--seed", 1,
            "--max-examples", examples, "--workers", 1, "--generation-database", "none", "--request-timeout", 60,
            *EXCLUDED, *token, *options])
        log = ROOT / f".build/conformance/api-{name.replace(' ', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
        stopped = server.stop()
    made = re.search(r"(\d+) generated", output)
    tested = re.search(r"Tested: (\d+)", output)
    # Of the summary; a phase that was left out is marked otherwise.
    phases = re.findall(r"^  ✅ (\w+)$", output, re.MULTILINE)
    passed = (code == 0 and made is not None and stopped == 0 and phases == PHASES
              and tested is not None and int(tested[1]) == OPERATIONS)
    words = f"{made[1] if made else 0} requests to {tested[1] if tested else 0} operations in {len(phases)} phases"
    report(f"schemathesis, {name}", words if passed else f"{words}; see {log.relative_to(ROOT)}", passed)
    return passed


def main():
    examples = 20 if "--quick" in sys.argv[1:] else 300
    passed = [validate(), *(explore(*way, examples) for way in WAYS)]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
