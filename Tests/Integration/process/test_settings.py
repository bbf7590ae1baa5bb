"""Settings of the real process: sources, unknown names, limits at their bounds, ports, logs.

Tests/Unit/MonitorServer/Settings tests the values, messages, options and source order of every setting without starting
a process for each case.
"""

import json
import re
import socket
import subprocess

from Support.clients.ingest import accept, get, kept_steps
from Support.payloads import payload
from Support.servers import processes
from Support.servers.server import ROOT, Server, binary, clean_environment

ROW = re.compile(r"^\| `(NN_MONITOR_\w+)` \| `(--[\w-]+)` \| (.+?) \| (.+?) \| .* \|$", re.MULTILINE)
# Each name with its option, default and allowed values, as CONFIGURATION.md documents them.
SETTINGS = {
    name: (option, default.strip("`"), allowed)
    for name, option, default, allowed in ROW.findall((ROOT / "CONFIGURATION.md").read_text())
}
RANGE = re.compile(r"(?:a whole number|seconds) from ([\d.]+) to ([\d.]+)")


def test_the_settings_of_the_contract_are_documented_with_their_defaults_and_bounds():
    expected = {
        "HOST": "127.0.0.1", "PORT": "8000", "MAX_RUNS": "1000", "MAX_STEPS_PER_RUN": "1000",
        "MAX_REQUEST_SIZE": "2000000", "MAX_MEMORY": "auto", "LOG_LEVEL": "info", "LOG_FORMAT": "text",
        "CORS_ORIGINS": "[]", "AUTH_TOKEN": "none", "AUTH_TOKENS_FILE": "none", "AUTH": "auto",
        "TLS_CERT_FILE": "none", "TLS_KEY_FILE": "none", "TLS": "auto", "TLS_MIN_VERSION": "1.2",
        "TLS_CLIENT_CA_FILE": "none", "STATIC_DIR": "none",
    }
    assert {name: SETTINGS["NN_MONITOR_" + name][1] for name in expected} == expected
    bounds = {"MAX_RUNS": (1, 100_000), "MAX_STEPS_PER_RUN": (10, 1_000_000), "MAX_REQUEST_SIZE": (100_000, 2**30)}
    for name, (least, most) in bounds.items():
        assert f"from {least} to {most}" in SETTINGS["NN_MONITOR_" + name][2]


def failed_start(*arguments, env=None, cwd) -> subprocess.CompletedProcess:
    """Runs the server, which must exit with an error and print a single line."""
    process = processes.run(
        [binary(), *map(str, arguments)], cwd=cwd, env=clean_environment(env), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=30)
    assert process.returncode != 0 and not process.stdout, process
    assert len(process.stderr.splitlines()) == 1, process.stderr
    return process


def test_each_setting_is_taken_from_its_first_source_and_unknown_names_are_reported(start_server, tmp_path):
    (tmp_path / ".env").write_text(
        "# A comment\n\nNN_MONITOR_HOST=127.0.0.4\nNN_MONITOR_MAX_RUNS=2\nNN_MONITOR_MAX_STEPS_PER_RUN=10\n"
        "NN_MONITOR_TLS_CERTFILE=1\n")
    server = start_server("--max-runs", 1, env={
        "NN_MONITOR_HOST": "127.0.0.3", "NN_MONITOR_MAX_RUNS": "3", "NN_MONITOR_PROT": "1"})
    server.wait_for_line(r"NN_MONITOR_PROT \(from the environment\).*NN_MONITOR_PORT\b")
    server.wait_for_line(r"NN_MONITOR_TLS_CERTFILE \(from \.env\).*NN_MONITOR_TLS_CERT_FILE\b")
    server.url = re.search(r"http://[\d.:]+", server.wait_for_line(r"http://127\.0\.0\.3:\d+"))[0]
    for step in range(12):
        accept(server, payload("a", step))
    assert len(kept_steps(server, "a")) == 10
    accept(server, payload("b", 1))
    assert list(get(server, "/api/v1/runs").json()) == ["b"]


def test_a_file_that_cannot_be_used_stops_the_start_with_code_64(tmp_path):
    process = failed_start("--port", 0, "--static-dir", "/nonexistent/folder", cwd=tmp_path)
    assert process.returncode == 64
    assert process.stderr.startswith("NN_MONITOR_STATIC_DIR: '/nonexistent/folder' cannot be used")


def test_a_port_in_use_stops_the_start(server, tmp_path):
    (tmp_path / ".env").write_text(f"NN_MONITOR_PORT={server.port}\n")
    process = failed_start("--static-dir", ROOT / "static", cwd=tmp_path)
    assert process.returncode == 1
    assert f"port {server.port}: Address already in use" in process.stderr


def test_the_port_that_kubernetes_sets_is_ignored_with_one_warning(tmp_path):
    (tmp_path / ".env").write_text("NN_MONITOR_PORT=0\n")
    environment = {
        "NN_MONITOR_PORT": "tcp://10.96.12.34:8000", "NN_MONITOR_PORT_8000_TCP": "tcp://10.96.12.34:8000",
        "NN_MONITOR_PORT_8000_TCP_ADDR": "10.96.12.34", "NN_MONITOR_SERVICE_HOST": "10.96.12.34",
    }
    with Server([], environment, tmp_path, port_option=False) as server:
        assert get(server, "/health").status_code == 200
        warnings = [line for line in server.output.splitlines() if " warning " in line]
        assert len(warnings) == 1 and "tcp://10.96.12.34:8000" in warnings[0] and "--port" in warnings[0], warnings


def bounds(group: int) -> dict:
    """Each setting with a range, at its minimum (`group` 1) or maximum (`group` 2)."""
    found = {name: RANGE.search(allowed) for name, (_, _, allowed) in SETTINGS.items()}
    # A thousand threads are too many for a test.
    return {name: match[group] for name, match in found.items()
            if match and name not in ("NN_MONITOR_PORT", "NN_MONITOR_THREADS", "NN_MONITOR_SHUTDOWN_GRACE")}


def test_the_server_starts_with_every_limit_at_its_least(start_server):
    # The timeouts are one millisecond, so no request is certain to succeed.
    start_server(env=bounds(1))


def test_the_server_serves_with_every_limit_at_its_most_on_the_given_port_and_host(start_server):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = start_server("--port", port, "--host", "localhost", env=bounds(2))
    assert server.port == port
    assert get(server, "/health").status_code == 200


def log_after_a_request(start_server, **env) -> list[str]:
    server = start_server(env={f"NN_MONITOR_{name}": value for name, value in env.items()})
    assert get(server, "/api/v1/runs?mark=here").status_code == 200
    assert server.stop() == 0
    return server.output.splitlines()


def test_json_logs_at_info_have_one_object_for_a_request(start_server):
    lines = log_after_a_request(start_server, LOG_FORMAT="json", LOG_LEVEL="info")
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    assert len([entry for entry in entries if "/api/v1/runs" in json.dumps(entry)]) == 1
    assert all(entry["level"] and entry["message"] and entry["time"] for entry in entries)


def test_text_logs_above_info_do_not_contain_requests(start_server):
    lines = log_after_a_request(start_server, LOG_FORMAT="text", LOG_LEVEL="notice")
    assert not [line for line in lines if "/api/v1/runs" in line or line.startswith("{")]
