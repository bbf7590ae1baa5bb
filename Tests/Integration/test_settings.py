"""Settings: their three sources, what happens to values that are not allowed, ports, logs.

CONFIGURATION.md's tables drive the tests of all settings, so that none is forgotten.
"""

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
# The settings that the contract names; those of limits and times are free.
NAMED = """HOST PORT MAX_RUNS MAX_STEPS_PER_RUN MAX_REQUEST_SIZE MAX_MEMORY LOG_LEVEL LOG_FORMAT CORS_ORIGINS AUTH_TOKEN
AUTH_TOKENS_FILE AUTH TLS_CERT_FILE TLS_KEY_FILE TLS TLS_MIN_VERSION TLS_CLIENT_CA_FILE STATIC_DIR""".split()
RANGE = re.compile(r"(a whole number|seconds) from ([\d.]+) to ([\d.]+)")


def test_the_settings_of_the_contract_are_documented_with_their_defaults_and_bounds():
    assert {"NN_MONITOR_" + name for name in NAMED} <= set(SETTINGS)
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


# Values that are not allowed

def invalid_values(name: str) -> list[str]:
    allowed = SETTINGS[name][2]
    if found := RANGE.search(allowed):
        kind, least, most = found.groups()
        if kind == "seconds":
            return ["0", "-1", str(float(most) + 1), "soon", "nan", "inf", "1 s"]
        return [str(int(least) - 1), str(int(most) + 1), "ten", "1.5", "99999999999999999999", "1 0"]
    if "of 0 or more" in allowed:
        return ["-1", "much", "0.5", "99999999999999999999"]
    by_name = {
        "HOST": ["not a host", "http://127.0.0.1", "[::1", "256.256.256.256:80"],
        "CORS_ORIGINS": ["example.org", "https://example.org/path", '["https://example.org"', "[1]", '{"a":1}'],
        "AUTH_TOKEN": ["with space", "é", "a" * 513, "semi;colon"],
        "STATIC_DIR": ["/nonexistent/folder", str(ROOT / "Package.swift")],
        "AUTH_TOKENS_FILE": ["/nonexistent/tokens", "/dev"],
    }
    if (short := name.removeprefix("NN_MONITOR_")) in by_name:
        return by_name[short]
    assert "," in allowed or "PEM" in allowed, f"no invalid value is known for {name}: {allowed}"
    return ["/nonexistent.pem"] if "PEM" in allowed else ["maybe", "1.1", "AUTO!"]


def end_of_start(arguments, env, cwd) -> subprocess.CompletedProcess:
    """Starts what should end by itself."""
    return processes.run(
        [binary(), *arguments, "--port", "0"] if "--port" not in str(arguments) else [binary(), *arguments],
        cwd=cwd, env=clean_environment(env), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


def companions(name: str) -> dict:
    """What a setting needs beside it, so that only its own value is wrong."""
    if name in ("NN_MONITOR_TLS_CERT_FILE", "NN_MONITOR_TLS_KEY_FILE"):
        return {"NN_MONITOR_TLS_CERT_FILE": "/nonexistent.pem", "NN_MONITOR_TLS_KEY_FILE": "/nonexistent.pem"}
    return {"NN_MONITOR_TLS": "dev"} if name == "NN_MONITOR_TLS_CLIENT_CA_FILE" else {}


def sources():
    for name in SETTINGS:
        for index, value in enumerate(invalid_values(name)):
            for source in ("environment", "option", "file") if index == 0 else ("environment",):
                yield pytest.param(name, value, source, id=f"{name[11:]}={value[:24]}-{source}")


@pytest.mark.parametrize(("name", "value", "source"), list(sources()))
def test_a_value_that_is_not_allowed_stops_the_start_with_one_line(tmp_path, name, value, source):
    option, _, allowed = SETTINGS[name]
    env, arguments = companions(name), []
    if source == "environment":
        env[name] = value
    elif source == "option":
        env.pop(name, None)
        arguments.append(f"{option}={value}")
    else:
        env.pop(name, None)
        (tmp_path / ".env").write_text(f"{name}={value}\n", encoding="utf-8")
    if name == "NN_MONITOR_PORT" and source != "option":
        process = processes.run(
            [binary()], cwd=tmp_path, env=clean_environment(env), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=30)
    else:
        process = end_of_start(arguments, env, tmp_path)
    printed = process.stdout + process.stderr
    assert process.returncode == 64, printed
    lines = [line for line in printed.splitlines() if line.strip()]
    assert len(lines) == 1, printed
    assert name in lines[0] or (name.startswith("NN_MONITOR_TLS_") and "NN_MONITOR_TLS_" in lines[0])
    if name == "NN_MONITOR_AUTH_TOKEN":
        assert value not in lines[0], "a secret is not printed"
    else:
        assert value in lines[0]
    if found := RANGE.search(allowed):
        assert found[2] in lines[0] and found[3] in lines[0]
    elif re.fullmatch(r"[\w.]+(, [\w.]+)+", allowed):
        assert all(choice in lines[0] for choice in allowed.split(", "))
    else:
        told = "" if name == "NN_MONITOR_AUTH_TOKEN" else value
        assert len(lines[0]) > len(name) + len(told) + 10, "it says what is allowed"


@pytest.mark.parametrize("env", [
    {"NN_MONITOR_TLS_CERT_FILE": "cert.pem"}, {"NN_MONITOR_TLS_KEY_FILE": "key.pem"},
    {"NN_MONITOR_TLS": "dev", "NN_MONITOR_TLS_CERT_FILE": "cert.pem", "NN_MONITOR_TLS_KEY_FILE": "key.pem"},
    {"NN_MONITOR_TLS": "off", "NN_MONITOR_TLS_CLIENT_CA_FILE": "ca.pem"},
], ids=["no key", "no certificate", "dev with a certificate", "client CA without TLS"])
def test_settings_that_do_not_go_together_stop_the_start(tmp_path, env):
    process = end_of_start([], env, tmp_path)
    assert process.returncode == 64, process.stdout + process.stderr
    assert "NN_MONITOR_TLS" in process.stderr


def test_the_option_is_judged_when_a_worse_source_is_invalid_too(tmp_path):
    (tmp_path / ".env").write_text("NN_MONITOR_MAX_RUNS=file\n")
    process = end_of_start(["--max-runs", "option"], {"NN_MONITOR_MAX_RUNS": "environment"}, tmp_path)
    assert process.returncode == 64
    assert "option" in process.stderr and "'file'" not in process.stderr


@pytest.mark.parametrize("arguments", [["--max-run", "5"], ["--max-runs"], ["extra"]])
def test_an_unknown_option_stops_the_start(tmp_path, arguments):
    process = end_of_start(arguments, {}, tmp_path)
    assert process.returncode == 64 and process.stderr.strip()


# Values that are allowed

@pytest.mark.parametrize("bound", [2, 3], ids=["least", "most"])
def test_the_bounds_themselves_are_allowed(start_server, bound):
    env = {}
    for name, (_, _, allowed) in SETTINGS.items():
        found = RANGE.search(allowed)
        if found and name not in ("NN_MONITOR_PORT", "NN_MONITOR_THREADS"):  # a thousand threads are not for a test
            env[name] = found[bound]
    # With a millisecond for its header no request can be relied on; that it started says enough.
    server = start_server(env={**env, "NN_MONITOR_SHUTDOWN_GRACE": "10"})
    if bound == 3:
        assert get(server, "/health").status_code == 200


CHOICES = [("LOG_LEVEL", level) for level in "trace debug info notice warning error critical".split()]
CHOICES += [("LOG_FORMAT", "text"), ("LOG_FORMAT", "json"), ("AUTH", "off"), ("AUTH", "auto"), ("TLS", "off"),
            ("TLS_MIN_VERSION", "1.3"), ("CORS_ORIGINS", '["https://a.example", "http://localhost:3000"]'),
            ("CORS_ORIGINS", "https://a.example, https://b.example"), ("CORS_ORIGINS", "*"), ("CORS_ORIGINS", "[]"),
            ("STATIC_DIR", str(ROOT / "static")), ("HOST", "localhost"), ("MAX_MEMORY", "1000000000000")]


@pytest.mark.parametrize(("name", "value"), CHOICES)
def test_each_choice_is_allowed(start_server, name, value):
    assert get(start_server(env={"NN_MONITOR_" + name: value}), "/health").status_code == 200


# Precedence

@pytest.mark.parametrize(("given", "winner"), [
    ({"file": 1}, 1), ({"file": 1, "environment": 2}, 2), ({"file": 1, "environment": 2, "option": 3}, 3),
    ({"file": 1, "option": 3}, 3), ({"environment": 2, "option": 3}, 3)], ids=lambda part: str(part))
def test_the_option_wins_over_the_environment_and_that_over_the_file(start_server, tmp_path, given, winner):
    if "file" in given:
        (tmp_path / ".env").write_text(f"NN_MONITOR_MAX_RUNS={given['file']}\n")
    server = start_server(
        *(["--max-runs", given["option"]] if "option" in given else []),
        env={"NN_MONITOR_MAX_RUNS": given["environment"]} if "environment" in given else None)
    for run in ("a", "b", "c", "d"):
        accept(server, payload(run))
    assert list(get(server, "/api/v1/runs").json()) == ["a", "b", "c", "d"][-winner:]


def test_each_setting_has_its_own_source(start_server, tmp_path):
    (tmp_path / ".env").write_text(
        "# A comment\n\nNN_MONITOR_HOST=127.0.0.4\nNN_MONITOR_MAX_RUNS=2\nNN_MONITOR_MAX_STEPS_PER_RUN=10\n")
    server = start_server("--max-runs", 1, env={"NN_MONITOR_HOST": "127.0.0.3"})
    line = server.wait_for_line(r"http://127\.0\.0\.3:\d+")
    server.url = re.search(r"http://[\d.:]+", line)[0]
    for step in range(12):
        accept(server, payload("a", step))
    accept(server, payload("b", 1))
    runs = get(server, "/api/v1/runs").json()
    assert list(runs) == ["b"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_port_given_is_the_one_in_use(start_server):
    port = free_port()
    server = start_server("--port", port)
    assert server.port == port
    assert get(server, "/health").status_code == 200


def test_port_0_takes_a_free_one_and_prints_it(start_server):
    first, second = start_server("--port", 0), start_server("--port", 0)
    assert first.port != second.port and 0 not in (first.port, second.port)
    assert get(first, "/health").status_code == get(second, "/health").status_code == 200


def test_a_port_in_use_stops_the_start_and_says_so(server, tmp_path):
    process = end_of_start(
        ["--port", str(server.port), "--static-dir", str(ROOT / "static")], {}, tmp_path)
    assert process.returncode not in (0, None)
    assert str(server.port) in process.stdout + process.stderr


@pytest.mark.parametrize("source", ["environment", "file"])
def test_the_port_may_come_from_the_environment_or_the_file(tmp_path, source):
    port = free_port()
    if source == "file":
        (tmp_path / ".env").write_text(f"NN_MONITOR_PORT={port}\n")
    env = clean_environment({"NN_MONITOR_PORT": port} if source == "environment" else None)
    process = processes.start(
        [binary(), "--static-dir", str(ROOT / "static")], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        seen = []
        for line in process.stdout:  # ends with the process
            seen.append(line)
            if f"http://127.0.0.1:{port}" in line:
                break
        else:
            raise AssertionError("".join(seen))
        assert session.get(f"http://127.0.0.1:{port}/health", timeout=10).status_code == 200
    finally:
        process.terminate()
        process.communicate(timeout=30)


# Logs

def log_after_a_request(start_server, **env) -> list[str]:
    server = start_server(env={f"NN_MONITOR_{name}": value for name, value in env.items()})
    assert get(server, "/api/v1/runs?mark=here").status_code == 200
    assert server.stop() == 0
    return server.output.splitlines()


@pytest.mark.parametrize("level", ["info", "debug", "trace"])
def test_requests_are_logged_at_info(start_server, level):
    assert len([line for line in log_after_a_request(start_server, LOG_LEVEL=level) if "/api/v1/runs" in line]) == 1


@pytest.mark.parametrize("level", ["notice", "warning", "error", "critical"])
def test_requests_are_not_logged_above_info(start_server, level):
    assert not [line for line in log_after_a_request(start_server, LOG_LEVEL=level) if "/api/v1/runs" in line]


def test_logs_may_be_json_a_line_or_text(start_server):
    entries = []
    for line in log_after_a_request(start_server, LOG_FORMAT="json"):
        if line.startswith("{"):
            entries.append(json.loads(line))
    assert any("/api/v1/runs" in json.dumps(entry) for entry in entries)
    assert all(entry["level"] and entry["message"] and entry["time"] for entry in entries)
    assert not [line for line in log_after_a_request(start_server, LOG_FORMAT="text") if line.startswith("{")]


# Unknown names

@pytest.mark.parametrize("source", ["environment", "file"])
@pytest.mark.parametrize(("unknown", "nearest"), [
    ("NN_MONITOR_MAX_RUN", "NN_MONITOR_MAX_RUNS"), ("NN_MONITOR_PROT", "NN_MONITOR_PORT"),
    ("NN_MONITOR_TLS_CERTFILE", "NN_MONITOR_TLS_CERT_FILE"), ("NN_MONITOR_LOGLEVEL", "NN_MONITOR_LOG_LEVEL")])
def test_an_unknown_name_gets_a_warning_with_the_nearest_known_one(start_server, tmp_path, source, unknown, nearest):
    if source == "file":
        (tmp_path / ".env").write_text(f"{unknown}=1\n")
    server = start_server(env={unknown: "1"} if source == "environment" else None)
    server.wait_for_line(rf"{unknown}\b.*{nearest}\b", 10)
    assert get(server, "/health").status_code == 200
