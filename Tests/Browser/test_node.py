"""The dashboard's modules without DOM and network, in Node: the files `node/*.test.mjs`."""

import subprocess
from pathlib import Path

import pytest

TESTS = sorted((Path(__file__).parent / "node").glob("*.test.mjs"))


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_the_modules_in_node(file):
    # The pages' modules end in .js and have no package.json, which older versions of Node take for CommonJS.
    command = ["node", "--experimental-default-type=module", "--test", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
