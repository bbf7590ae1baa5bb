"""The package as people get it: built, installed into a clean environment, checked by type checkers and linters."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*command, **options):
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=280, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_build_gives_a_wheel_and_a_source_archive(source, tmp_path):
    """`python -m build`, with what is installed: tests need no network."""
    pytest.importorskip("build")
    run(sys.executable, "-m", "build", "--no-isolation", "-o", tmp_path, source)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".gz", ".whl"]


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
