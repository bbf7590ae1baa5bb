"""Settings in a started server: sources, bounds, ports, logs, warnings. Each value by itself is tested by the Swift tests
(SettingsValidationTests, SettingsPrecedenceTests, SettingsConsistencyTests, SettingsAgreementTests, StartTests)."""

import json
import re
import socket
import subprocess

import pytest
from support import processes
from support.ingest import accept, get, session
from support.payloads import payload
from support.server import ROOT, binary, clean_environment

ROW = re.compile(r"^\| `(NN_MONITOR_\w+)` \| `(--[\w-]+)` \| (.+?) \| (.+?) \| .* \|$", re.MULTILINE)
SETTINGS = {
    name: (option, default.strip("`"), allowed)
    for name, option, default, allowed in ROW.findall((ROOT / "CONFIGURATION.md").read_text())
}
RANGE = re.compile(r"(a whole number|seconds) from ([\d.]+) to ([\d.]+)")


def test_the_settings_of_the_contract_are_documented_with_their_defaults_and_bounds():
    expected = {
        "HOST": "127.0.0.1", "PORT": "8000", "MAX_RUNS": "1000", "MAX_STEPS_PER_RUN": "1000",
        "MAX_REQUEST_SIZE": "2000000", "MAX_MEMORY": "auto", "LOG_LEVEL": "info", "LOG_FORMAT": "text",
        "CORS_ORIGINS": "[]", "AUTH_TOKEN": "none", "AUTH_TOKENS_FILE": "none", "AUTH": "auto",
        "TLS_CERT_FILE": "none", "TLS_KEY_FILE": "none", "TLS": "auto", "TLS_MIN_VERSION": "1.2",
        "TLS_CLIENT_CA_FILE": "none",
    }
    assert {name: SETTINGS["NN_MONITOR_" + name][1] for name in expected} == expected
    bounds = {"MAX_RUNS": (1, 100_000), "MAX_STEPS_PER_RUN": (10, 1_000_000), "MAX_REQUEST_SIZE": (100_000, 2**30)}
    for name, (least, most) in bounds.items():
        assert f"from {least} to {most}" in SETTINGS["NN_MONITOR_" + name][2]


@pytest.mark.parametrize("name", ["NN_MONITOR_STATIC_DIR", "NN_MONITOR_AUTH_TOKENS_FILE"])
def test_a_path_that_does_not_exist_stops_the_start_with_one_line(tmp_path, name):
    ended = processes.run(
        [binary(), "--port", "0"], cwd=tmp_path, env=clean_environment({name: "/nonexistent/path"}),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 64, printed
    (line,) = printed.splitlines()
    assert name in line and "/nonexistent/path" in line


@pytest.mark.parametrize("bound", [2, 3], ids=["least", "most"])
def test_the_bounds_of_all_settings_are_allowed_together(start_server, bound):
    env = {}
    for name, (_, _, allowed) in SETTINGS.items():
        found = RANGE.search(allowed)
        if found and name not in ("NN_MONITOR_PORT", "NN_MONITOR_THREADS"):  # a thousand threads are not for a test
            env[name] = found[bound]
    # With a millisecond for its header no request can be relied on; that it started says enough.
    server = start_server(env={**env, "NN_MONITOR_SHUTDOWN_GRACE": "10"})
    if bound == 3:
        assert get(server, "/health").status_code == 200


def test_the_option_wins_over_the_environment_and_that_over_the_file_for_each_setting(start_server, tmp_path):
    (tmp_path / ".env").write_text(
        "# A comment\n\nNN_MONITOR_HOST=127.0.0.4\nNN_MONITOR_MAX_RUNS=1\nNN_MONITOR_MAX_STEPS_PER_RUN=10\n")
    server = start_server("--max-runs", 3, env={"NN_MONITOR_HOST": "127.0.0.3", "NN_MONITOR_MAX_RUNS": 2})
    line = server.wait_for_line(r"http://127\.0\.0\.3:\d+")
    server.url = re.search(r"http://[\d.:]+", line)[0]
    for run in ("a", "b", "c", "d"):
        for step in range(12):
            accept(server, payload(run, step))
    runs = get(server, "/api/v1/runs").json()
    assert {run: entry["step_count"] for run, entry in runs.items()} == {"b": 10, "c": 10, "d": 10}


def test_the_port_may_come_from_the_file_and_unknown_names_get_a_warning_with_the_nearest_one(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / ".env").write_text(f"NN_MONITOR_PORT={port}\nNN_MONITOR_TLS_CERTFILE=1\n")
    process = processes.start(
        [binary(), "--static-dir", ROOT / "static"], cwd=tmp_path, env=clean_environment({"NN_MONITOR_MAX_RUN": "1"}),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wanted = [rf"http://127\.0\.0\.1:{port}\b", r"NN_MONITOR_MAX_RUN\b.*NN_MONITOR_MAX_RUNS\b",
              r"NN_MONITOR_TLS_CERTFILE\b.*NN_MONITOR_TLS_CERT_FILE\b"]
    try:
        printed = ""
        for line in process.stdout:  # ends with the process
            printed += line
            if all(re.search(pattern, printed) for pattern in wanted):
                break
        else:
            raise AssertionError(printed)
        assert session.get(f"http://127.0.0.1:{port}/health", timeout=60).status_code == 200
    finally:
        process.terminate()
        process.communicate(timeout=60)


def lines_after_a_request(start_server, **settings) -> list[str]:
    server = start_server(env={f"NN_MONITOR_{name}": value for name, value in settings.items()})
    assert get(server, "/api/v1/runs?mark=here").status_code == 200
    assert server.stop() == 0
    return server.output.splitlines()


def test_requests_are_logged_at_info_and_logs_may_be_json(start_server):
    lines = lines_after_a_request(
        start_server, LOG_FORMAT="json", LOG_LEVEL="trace", HOST="localhost", CORS_ORIGINS='["https://a.example"]',
        MAX_MEMORY="1000000000000", AUTH="auto", TLS="off")
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    assert len([entry for entry in entries if "/api/v1/runs" in json.dumps(entry)]) == 1
    assert all(entry["level"] and entry["message"] and entry["time"] for entry in entries)


def test_requests_are_not_logged_above_info_and_logs_may_be_text(start_server):
    lines = lines_after_a_request(
        start_server, LOG_FORMAT="text", LOG_LEVEL="notice", CORS_ORIGINS="https://a.example, https://b.example",
        AUTH="off", TLS_MIN_VERSION="1.3")
    assert not [line for line in lines if "/api/v1/runs" in line or line.startswith("{")]
