"""Training programs in processes of their own: for what kills a process."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import textwrap
import threading

PREFACE = """
import os, signal, sys, time
import nnmonitor as nnm
from nnmonitor.timing import TIMING
# A shell's background jobs ignore Ctrl-C, and so would what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
TIMING.share = 1.0
TIMING.poll, TIMING.idle_flush, TIMING.retry_base, TIMING.retry_cap = 0.02, 0.2, 0.02, 0.1
def say(text):
    print(text, flush=True)
"""


class Trainer:
    """A program whose lines of output can be waited for."""

    def __init__(self, code, folder, environment, preface=PREFACE, wrapper=()):
        variables = {**os.environ, "NN_MONITOR_DIR": str(folder / "spools"), **environment}
        variables.pop("PYTHONPATH", None)
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-u", "-c", preface + textwrap.dedent(code)], env=variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
        )
        if hasattr(fcntl, "F_SETPIPE_SZ") or sys.platform == "linux":
            # A program that nobody reads from soon waits, so that it does not log many thousands of steps.
            fcntl.fcntl(self.process.stdout, getattr(fcntl, "F_SETPIPE_SZ", 1031), 4096)
        self.folder = folder
        self.errors = ""
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors += line

    def line(self):
        """The next line of output."""
        text = self.process.stdout.readline().rstrip("\n")
        assert text, f"the program ended: {self.errors}"
        return text

    def wait(self):
        """Exit code, after the rest of the output has been read."""
        rest = self.process.stdout.read()
        code = self.process.wait(120)
        self._reader.join(60)
        self.output = rest
        return code

    def kill(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
        self.process.stdout.close()
