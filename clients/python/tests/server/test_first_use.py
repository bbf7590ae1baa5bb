"""The first use: a clean environment, an old PyTorch."""

import os
import subprocess
import textwrap
import venv
from pathlib import Path

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"
SOURCE = Path(__file__).resolve().parents[2] / "src"


def run(*command, **options):
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=280, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def environment(server, **more):
    """What a user has: the line of the server's banner, and the token."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NN_MONITOR_TEST_")}
    return {**kept, **server.banner_settings, "NN_MONITOR_TOKEN": server.token, **more}


def test_install_and_three_lines_give_a_run(server, wheel, tmp_path):
    place = tmp_path / "environment"
    venv.create(place, with_pip=True)
    run(place / "bin" / "pip", "install", "-q", "--no-index", wheel)
    (tmp_path / "train.py").write_text(textwrap.dedent("""
        import nnmonitor as nnm
        run = nnm.init(project="gpt", name="r7", config={"lr": 3e-4})
        nnm.watch(None)
        for step in range(10):
            nnm.log({"train/loss": 1 / (step + 1), "lr": 3e-4}, step=step)
        print(run.id)
    """))
    output = run(place / "bin" / "python", "-I", tmp_path / "train.py", env=environment(server))
    (identifier,) = [line for line in output.splitlines() if line.startswith("r7-")]
    assert "watch needs PyTorch 2.1 or newer" in output
    assert sorted(server.steps(identifier)) == list(range(10))
    kept = server.run(identifier)
    assert (kept["project"], kept["name"], kept["state"]) == ("gpt", "r7", "finished")
    assert "address      ok" in run(place / "bin" / "nnmonitor", "check", env=environment(server))


def old_torch():
    """The version of the system's PyTorch where that is too old for `watch`."""
    try:
        command = [SYSTEM_PYTHON, "-c", "import torch; print(torch.__version__)"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except OSError:
        return None
    version = ended.stdout.strip()
    return version if ended.returncode == 0 and tuple(map(int, version.split(".")[:2])) < (2, 1) else None


def test_with_an_old_pytorch_log_works_and_watch_names_the_version_it_needs(server, tmp_path):
    version = old_torch()
    if version is None:
        pytest.skip("the system has no PyTorch before 2.1")
    output = run(SYSTEM_PYTHON, "-c", textwrap.dedent("""
        import torch
        import nnmonitor as nnm
        model = torch.nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        nnm.init(id="old")
        nnm.watch(model)
        for step in range(5):
            loss = model(torch.randn(8, 3)).square().mean()
            loss.backward()
            optimizer.step()
            nnm.log({"train/loss": loss}, step=step)
    """), env=environment(server, PYTHONPATH=str(SOURCE)))
    assert f"watch needs PyTorch 2.1 or newer, and this is {version}" in output
    steps = server.steps("old")
    assert sorted(steps) == list(range(5)) and all("train/loss" in step["scalars"] for step in steps.values())
    assert server.run("old")["state"] == "finished"
