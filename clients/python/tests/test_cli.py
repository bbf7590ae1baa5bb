"""The command: check, sync, simulate."""

import subprocess
import sys

import pytest

from nnmonitor.cli import main
from support.front import Front
from support.reference import Reference


def test_check_says_that_all_is_well(secure, made, capsys):
    front = secure()
    assert main(["check", "--url", front.url, "--ca", str(made["authority"].certificate)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if not line.startswith("round")] == ["ok"] * 4
    assert "valid until" in lines[1] and "SHA-256" in lines[1]
    assert front.run("nnmonitor-check") is None


def test_check_names_what_is_wrong(front, secure, made, capsys, monkeypatch):
    front.down()
    assert main(["check", "--url", front.url]) == 1
    assert "cannot be reached" in capsys.readouterr().out
    assert main(["check", "--url", secure().url]) == 1
    assert "certificate  FAILED" in capsys.readouterr().out
    guarded = Front(reference=Reference(tokens={"good": {"ingest"}, "reader": {"read"}}))
    for token, code, words in ((None, 1, "does not accept"), ("reader", 1, "scope ingest"), ("good", 0, "accepted")):
        monkeypatch.setenv("NN_MONITOR_TOKEN", token or "")
        assert main(["check", "--url", guarded.url]) == code
        assert words in capsys.readouterr().out
    guarded.fault(1, status=404, body={"detail": "Not Found"})
    assert main(["check", "--url", guarded.url]) == 1
    assert "has no /api/v2" in capsys.readouterr().out
    guarded.down()


def test_check_sees_a_wrong_clock(front, capsys):
    from nnmonitor.commands import check
    from nnmonitor.delivery.transport import Answer

    said = []
    check._clock(Answer(202, {"date": "Mon, 01 Jan 2024 00:00:00 GMT"}), 1.7e9, 1.7e9, said.append)
    assert "ahead of the server" in said[0] or "behind the server" in said[0]


def test_settings_that_are_not_usable_end_with_64(capsys):
    assert main(["sync", "--fingerprint", "12"]) == 64
    assert "64 hexadecimal digits" in capsys.readouterr().err


@pytest.mark.parametrize("layers", [1, 20])
def test_simulate_gives_a_run_with_layers(front, layers):
    options = ["--steps", "20", "--interval", "0", "--layers", str(layers), "--id", "sim"]
    assert main(["simulate", "--url", front.url, *options]) == 0
    steps = front.steps("sim")
    assert sorted(steps) == list(range(20))
    assert len(steps[19]["layers"]) == layers and "train/loss" in steps[19]["scalars"]
    assert all(len(column) == layers for column in steps[19]["metrics"].values())
    assert front.run("sim")["state"] == "finished"


def test_command_is_installed(front):
    ended = subprocess.run(
        [sys.executable, "-m", "nnmonitor", "check", "--url", front.url],
        capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "address      ok" in ended.stdout


def test_sync_of_an_empty_place_says_so(tmp_path, capsys):
    assert main(["sync", str(tmp_path / "nothing")]) == 0
    assert "nothing to send" in capsys.readouterr().out
