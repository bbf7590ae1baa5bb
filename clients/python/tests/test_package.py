"""The package as people get it: built, installed into a clean environment, checked by type checkers and linters."""

import importlib.util
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*command, **options):
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=280, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built without the network: setuptools is installed with the tests."""
    pytest.importorskip("setuptools", minversion="64")
    pytest.importorskip("wheel")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    run(sys.executable, "-c", "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], "
        "ignore=shutil.ignore_patterns('build', '*.egg-info', '.*'))", ROOT, source)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source)
    (built,) = folder.glob("*.whl")
    return built


def test_three_lines_in_a_clean_environment_give_a_run(wheel, front, tmp_path):
    place = tmp_path / "environment"
    venv.create(place, with_pip=False)
    run(sys.executable, "-m", "pip", "-q", "--python", place / "bin" / "python", "install", "--no-index", wheel)
    program = tmp_path / "train.py"
    program.write_text(
        "import nnmonitor as nnm\n"
        "run = nnm.init(project='gpt', name='r7', id='clean', config={'lr': 3e-4})\n"
        "nnm.watch(None)\n"
        "for step in range(10):\n"
        "    nnm.log({'train/loss': 1 / (step + 1), 'lr': 3e-4}, step=step)\n"
    )
    environment = {**os.environ, "NN_MONITOR_URL": front.url}
    run(place / "bin" / "python", "-I", program, env=environment)
    assert sorted(front.steps("clean")) == list(range(10))
    assert front.run("clean")["project"] == "gpt" and front.run("clean")["state"] == "finished"
    assert "address      ok" in run(place / "bin" / "nnmonitor", "check", env=environment)


def test_wheel_is_typed_and_needs_nothing(wheel):
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        metadata = opened.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert "nnmonitor/py.typed" in names
    assert all("extra ==" in line for line in metadata.splitlines() if line.startswith("Requires-Dist"))
    assert not [name for name in names if not name.startswith("nnmonitor")]


@pytest.mark.parametrize("tool", [["mypy"], ["ruff", "check", "."]], ids=lambda command: command[0])
def test_types_and_style_are_clean(tool, tmp_path):
    if importlib.util.find_spec(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    cache = {"mypy": ["--cache-dir", str(tmp_path)], "ruff": ["--no-cache"]}[tool[0]]
    run(sys.executable, "-m", *tool, *cache, cwd=ROOT)


def test_names_that_people_import_stay_quick():
    """Nothing heavy is imported with the package: no torch, no numpy, no http server."""
    heavy = "[name for name in ('torch', 'numpy', 'asyncio', 'http.server', 'unittest') if name in sys.modules]"
    assert run(sys.executable, "-c", f"import sys, nnmonitor; print({heavy})").strip() == "[]"
