"""`--help` and `NNMonitor token`."""

import hashlib
import os
import re
import subprocess

import pytest

from Support.clients.ingest import accept, get, post
from Support.payloads import payload
from Support.servers import processes
from Support.servers.server import binary, clean_environment
from test_settings import SETTINGS


def output_of(*arguments, cwd) -> str:
    process = processes.run(
        [binary(), *arguments], cwd=cwd, env=clean_environment({"COLUMNS": "100"}), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=30)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_help_lists_every_setting_with_its_default(tmp_path):
    text = " ".join(output_of("--help", cwd=tmp_path).split())
    for name, (option, default, _) in SETTINGS.items():
        found = re.search(rf"(?<!\S){option} .*?(?= --[a-z]|$)", text)
        assert found, f"{option} is not in --help"
        assert default in found[0], f"{option}: {default} is not in {found[0]!r}"
        assert name in text


@pytest.mark.parametrize("scopes", ["ingest", "read", "ingest,read", "ingest,read,admin"])
def test_the_token_command_prints_a_token_and_its_line(tmp_path, scopes):
    text = output_of("token", "--name", "trainer", "--scopes", scopes, cwd=tmp_path)
    line = re.search(rf"(?m)(?<!\S)trainer:{scopes}:([0-9a-f]{{64}})(?!\S)", text)
    assert line, text
    assert [word for word in text.split() if hashlib.sha256(word.encode()).hexdigest() == line[1]], text


def test_two_tokens_are_never_the_same(tmp_path):
    assert output_of("token", "--name", "a", "--scopes", "read", cwd=tmp_path) != output_of(
        "token", "--name", "a", "--scopes", "read", cwd=tmp_path)


@pytest.mark.parametrize("arguments", [
    ["--name", "a"], ["--scopes", "read"], ["--name", "a", "--scopes", "root"], ["--name", "a:b", "--scopes", "read"],
    ["--name", "", "--scopes", "read"], ["--name", "a", "--scopes", ""]])
def test_the_token_command_refuses_what_the_file_could_not_hold(tmp_path, arguments):
    process = processes.run(
        [binary(), "token", *arguments], cwd=tmp_path, env=clean_environment(None), capture_output=True, text=True,
        timeout=30)
    assert process.returncode == 64 and process.stderr.strip()


def test_a_token_of_the_command_opens_the_server_for_its_scopes(start_server, tmp_path):
    lines, tokens = [], {}
    for name in ("ingest", "read"):
        text = output_of("token", "--name", name, "--scopes", name, cwd=tmp_path)
        lines.append(re.search(rf"(?m)(?<!\S){name}:{name}:[0-9a-f]{{64}}", text)[0])
        digest = lines[-1].split(":")[2]
        tokens[name], = {word for word in text.split() if hashlib.sha256(word.encode()).hexdigest() == digest}
    (tmp_path / "tokens").write_text("\n".join(lines) + "\n")
    os.chmod(tmp_path / "tokens", 0o600)
    server = start_server("--auth-tokens-file", tmp_path / "tokens")
    assert get(server, "/api/v1/runs").status_code == 401
    server.token = tokens["ingest"]
    accept(server, payload("a"))
    assert get(server, "/api/v1/runs").status_code == 403
    server.token = tokens["read"]
    assert list(get(server, "/api/v1/runs").json()) == ["a"]
    assert post(server, payload("a")).status_code == 403
