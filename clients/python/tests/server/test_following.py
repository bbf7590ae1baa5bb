"""tail and health with the server: over TLS, with a token, over a restart."""

import json
import os
import subprocess
import sys
import threading

import pytest

from nnmonitor.cli import main


class Tail:
    """`nnmonitor tail` as a process, whose lines can be waited for."""

    def __init__(self, server, made, *arguments):
        environment = {
            **os.environ, "NN_MONITOR_URL": server.url, "NN_MONITOR_TOKEN": server.token,
            "NN_MONITOR_CA": str(made["authority"].certificate)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nnmonitor", "tail", *arguments], env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.lines, self.notes = [], []
        for stream, kept in ((self.process.stdout, self.lines), (self.process.stderr, self.notes)):
            threading.Thread(target=self._read, args=(stream, kept), daemon=True).start()

    @staticmethod
    def _read(stream, kept):
        for line in stream:
            kept.append(line.rstrip("\n"))

    @property
    def steps(self):
        return [int(line.split()[0]) for line in self.lines if line.split()[0].isdigit()]


@pytest.fixture
def follow(made):
    opened = []

    def start(server, *arguments):
        opened.append(Tail(server, made, *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.process.kill()
        one.process.wait(60)
        one.process.stdout.close()
        one.process.stderr.close()


def test_tail_goes_on_over_a_restart_and_ends_with_the_run(server, begin, follow, until):
    run = begin(server, id="r7")
    for step in range(5):
        run.log({"train/loss": 1.0 / (step + 1), "lr": 0.1}, step=step)
    server.wait_for_steps("r7", range(5))
    tail = follow(server, "--last", "2")
    until(lambda: 4 in tail.steps)
    assert tail.steps[:2] == [3, 4]
    run.alert("disk", "90 % full", level="warning")
    until(lambda: any("disk: 90 % full" in line for line in tail.lines))
    server.kill()
    until(lambda: any("connection lost" in note for note in tail.notes))
    server.start()
    run.log({"train/loss": 0.5}, step=6)
    run.log({"train/loss": 0.4}, step=7)
    run.finish()
    assert tail.process.wait(120) == 0
    until(lambda: tail.lines[-1] == "r7: finished")
    assert sorted({step for step in tail.steps if step > 4}) == [6, 7]
    assert any("train/loss=0.4" in line for line in tail.lines)


def test_tail_of_an_ended_run_with_messages(server, begin, follow, until):
    run = begin(server, id="r7")
    for step in range(30):
        run.log({"loss": step}, step=step)
    run.finish(1)
    tail = follow(server, "r7", "--json", "--last", "3")
    assert tail.process.wait(120) == 1
    until(lambda: len(tail.lines) >= 3)
    messages = [json.loads(line) for line in tail.lines]
    assert [message["data"]["step"] for message in messages if message["type"] == "step"] == [27, 28, 29]


def test_health_of_a_run(server, begin, made, monkeypatch, capsys):
    for name, value in (("URL", server.url), ("TOKEN", server.token), ("CA", str(made["authority"].certificate))):
        monkeypatch.setenv(f"NN_MONITOR_{name}", value)
    run = begin(server, id="r7")
    run.log({"train/loss": 1.0}, step=0)
    run.log({"train/loss": float("nan")}, step=1)
    run.finish()
    code = main(["health", "--json"])
    captured = capsys.readouterr()
    if "no health of runs" in captured.err:
        assert code == 3
        pytest.skip("the server has no health of runs")
    assert code == 2 and json.loads(captured.out)["status"] == "critical"
    assert main(["health", "r7"]) == 2
    assert capsys.readouterr().out.startswith("r7: critical (as of step 1")
