"""The settings of alerts: what is refused, and that no secret is printed."""

import subprocess

import pytest
from Support.servers.server import binary, clean_environment


def refused(tmp_path, *options, env=None) -> str:
    """The line of a server that does not start."""
    ended = subprocess.run([binary(), "--port", "0", *map(str, options)], env=clean_environment(env), cwd=tmp_path,
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0 and ended.stdout == ""
    [line] = ended.stderr.splitlines()
    return line


@pytest.mark.parametrize(("value", "reason"), [
    ("https://hooks.slack.com/services/T0/B0/s3cret", "entry 1: it must begin with json=, slack=, discord= or ntfy="),
    ("json=http://a/s3cret slack=hooks.slack.com/s3cret", "entry 2: its address must begin with https:// or http://"),
    ("json=http://s3cret@:80/", "entry 1: its address needs a host name"),
    ("ntfy=https://ntfy.sh/s3cret/", "entry 1: the path of its address must end with the topic"),
    ("\n".join(["json=http://a/s3cret"] * 17), "there are more than 16 entries"),
])
def test_a_bad_webhook_stops_the_start_without_its_secret(tmp_path, value, reason):
    line = refused(tmp_path, env={"NN_MONITOR_ALERT_WEBHOOKS": value})
    assert line.startswith("NN_MONITOR_ALERT_WEBHOOKS: the value (from the environment) is not allowed: " + reason)
    assert "Allowed: entries such as slack=https://" in line and "s3cret" not in line


@pytest.mark.parametrize("value", ["monitor.example.org", "ftp://a", "https://user@a", "https://a/?b", "https://a/#b"])
def test_a_bad_public_address_stops_the_start(tmp_path, value):
    line = refused(tmp_path, "--public-url", value)
    assert line.startswith(f"NN_MONITOR_PUBLIC_URL: '{value}' (from the option --public-url) is not allowed.")


def test_a_connection_may_not_take_longer_than_the_request(tmp_path):
    line = refused(tmp_path, "--alert-connect-timeout", 20)
    assert "is longer than ALERT_TIMEOUT, which is for the connection too: set it to at most 15" in line


@pytest.mark.parametrize(("content", "reason"), [(None, "does not exist"), ("x\n", "has no certificate authority in PEM")])
def test_a_bad_file_of_authorities_stops_the_start(tmp_path, content, reason):
    file = tmp_path / "authorities.pem"
    if content:
        file.write_text(content)
    line = refused(tmp_path, "--alert-ca-file", file, env={"NN_MONITOR_ALERT_WEBHOOKS": "json=https://a/s3cret"})
    assert "NN_MONITOR_ALERT_CA_FILE" in line and reason in line and "s3cret" not in line


def test_authorities_without_a_use_are_reported(start_server, tmp_path):
    server = start_server("--alert-ca-file", tmp_path / "none.pem",
                          env={"NN_MONITOR_ALERT_WEBHOOKS": "json=http://127.0.0.1:9/"})
    server.wait_for_line("NN_MONITOR_ALERT_CA_FILE has no effect")
