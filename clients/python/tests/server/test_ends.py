"""The end of a training process that reports to the real server over TLS: kill -9, signals, forks, a full disk."""

import os
import signal
import subprocess
import sys

import pytest

from nnmonitor.cli import main
from nnmonitor.spooling import spool

#: A random walk stands for training: each step prints its exact state, the last line is the whole result.
WALK = """
import random
chance = random.Random(5)
run = nnm.init(id="r", project="p")
weight = 1.0
for step in range({steps}):
    weight -= 0.01 * (weight * chance.random() + chance.gauss(0, 1))
    nnm.log({{"weight": weight, "nan": float("nan")}}, step=step)
    say(f"{{step}} {{weight.hex()}}")
"""


@pytest.fixture
def settings(server, monkeypatch):
    """The line of the server's banner and the token, in the environment of all programs and of `sync`."""
    for name, value in {**server.banner_settings, "NN_MONITOR_TOKEN": server.token}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def walk():
    """What each step of the walk prints, without the client."""
    import random

    chance, weight, lines = random.Random(5), 1.0, []
    for step in range(5_000):
        weight -= 0.01 * (weight * chance.random() + chance.gauss(0, 1))
        lines.append(f"{step} {weight.hex()}")
    return lines


def assert_arrived(server, lines, walk):
    """Every step that the program printed is on the server, with its value, and training went as without the client."""
    assert lines == walk[: len(lines)]
    kept = server.steps("r")
    assert set(range(len(lines))) <= set(kept)
    for step, line in enumerate(lines):
        exact = float.fromhex(line.split()[1])
        assert kept[step]["scalars"] == {"weight": float(f"{exact:.6g}"), "nan": "NaN"}


@pytest.mark.parametrize("server_is", ["up", "restarted", "down"])
@pytest.mark.parametrize("steps", range(7))
def test_kill_right_after_a_step_loses_none(server, settings, trainer, tmp_path, walk, steps, server_is):
    """Twenty times and more: `sync` delivers every step whose `log` had returned."""
    if server_is == "down":
        server.kill()
    program = trainer(WALK.format(steps=5_000))
    lines = [program.line() for _ in range(1 + steps * 9)]
    if server_is == "restarted":
        server.wait_for_steps("r", range(len(lines) - 1))
        server.kill()
        server.start()
        lines += [program.line() for _ in range(5)]
    program.kill(signal.SIGKILL)
    program.process.wait(60)
    lines += [line for line in program.process.stdout.read().split("\n")[:-1] if line]
    if server_is == "down":
        server.start()
    assert main(["sync", str(tmp_path / "spools")]) == 0
    assert_arrived(server, lines, walk)
    kept = server.run("r")
    assert (kept["project"], kept["state"], kept["reason"]) == ("p", "failed", "the process ended without finish()")
    assert spool.find(tmp_path / "spools") == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_signal_delivers_all_and_the_process_ends_by_it(server, settings, trainer, walk, number, code):
    program = trainer(WALK.format(steps=5_000))
    lines = [program.line() for _ in range(30)]
    program.kill(number)
    assert program.wait() == -number
    lines += program.output.split("\n")[:-1]
    assert_arrived(server, lines, walk)
    kept = server.run("r")
    assert (kept["state"], kept["exit_code"]) == ("failed", code)


def test_children_of_a_fork_leave_run_and_training_alone(server, settings, trainer, walk):
    program = trainer(WALK.format(steps=200) + """
    if step % 20 == 10:
        child = os.fork()
        if child == 0:
            nnm.log({"child": 1.0}, step=step)
            nnm.finish()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
""")
    assert program.wait() == 0, program.errors
    assert_arrived(server, program.output.split("\n")[:-1], walk)
    assert server.run("r")["state"] == "finished"


def can_mount(folder):
    command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except OSError:
        return False


def test_disk_that_is_full_loses_nothing(server, settings, trainer, tmp_path, walk):
    """The spool has a file system of 64 KiB while the server is away. Where none can be mounted, files are limited."""
    (tmp_path / "spools").mkdir()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    mounted = can_mount(tmp_path / "spools")
    server.kill()
    code = ("" if mounted else limit) + WALK.format(steps=2_000) + """
say("logged")
while not os.path.exists("go"):
    time.sleep(0.01)
nnm.finish()
"""
    mount = f'mount -t tmpfs -o size=64k none "{tmp_path / "spools"}" && exec "$0" "$@"'
    wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount] if mounted else []
    program = trainer(code, wrapper=wrapper, NN_MONITOR_EXIT_TIMEOUT="60")
    lines = []
    while (line := program.line()) != "logged":
        lines.append(line)
    server.start()
    (program.folder / "go").touch()
    assert program.wait() == 0, program.errors
    assert "is the disk full?" in program.errors
    assert len(lines) == 2_000
    assert_arrived(server, lines, walk)
    assert server.run("r")["state"] == "finished"


def test_left_spool_is_sent_by_the_next_process(server, settings, trainer, tmp_path, walk):
    server.kill()
    program = trainer(WALK.format(steps=100), NN_MONITOR_EXIT_TIMEOUT="0.1")
    assert program.wait() == 0, program.errors
    server.start()
    later = trainer("""
        nnm.init(id="r", resume_from=100)
        nnm.log({"weight": 0.5})
        nnm.finish()
    """)
    assert later.wait() == 0, later.errors
    kept = server.steps("r")
    assert sorted(kept) == list(range(101)) and kept[100]["scalars"] == {"weight": 0.5}
    assert_arrived(server, walk[:100], walk)


def test_command_checks_and_simulates(server, settings):
    def nnmonitor(*arguments):
        command = [sys.executable, "-m", "nnmonitor", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ)
        return ended.returncode, ended.stdout + ended.stderr

    code, text = nnmonitor("check")
    assert code == 0 and [line.split()[1] for line in text.splitlines() if "round trip" not in line] == ["ok"] * 4
    assert server.run("nnmonitor-check") is None
    os.environ["NN_MONITOR_TOKEN"] = server.reader
    code, text = nnmonitor("check")
    assert code == 1 and "the token needs the scope ingest" in text
    os.environ["NN_MONITOR_TOKEN"] = server.token
    code, text = nnmonitor("simulate", "--steps", "30", "--interval", "0", "--layers", "9", "--id", "sim")
    assert code == 0, text
    steps = server.steps("sim")
    assert sorted(steps) == list(range(30)) and {len(step["layers"]) for step in steps.values()} == {9}
    assert server.run("sim")["state"] == "finished"
