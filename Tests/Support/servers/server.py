"""Starts the real server for a test, and ends it with the test."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from . import processes
from .allocations import Allocations, can_count, counting

ROOT = Path(__file__).resolve().parents[3]
ADDRESS = re.compile(r"(https?)://[^\s/:]+:(\d+)")


def binary() -> str:
    """The executable under test: NN_MONITOR_BINARY, or the release build."""
    return os.environ.get("NN_MONITOR_BINARY") or str(ROOT / ".build/release/NNMonitor")


def clean_environment(extra: dict | None) -> dict:
    """This process's environment without settings of the server, and with a test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NN_MONITOR_")}
    return {**kept, **{name: str(value) for name, value in (extra or {}).items()}}


def end_of_start(arguments, cwd, wrapper=()) -> subprocess.CompletedProcess:
    """Runs a server that must not start; returns what it left."""
    return subprocess.run(
        [*wrapper, binary(), *map(str, arguments)], cwd=cwd, env=clean_environment({}), capture_output=True, text=True,
        timeout=60, check=False)


class Server:
    """One running server: its addresses, its process, everything it printed.

    As a context manager it stops the server and requires a good end; after an exception it kills the server.
    """

    def __init__(self, arguments, env, cwd: Path, wrapper=(), program=None, counted: bool = False,
                 port_option: bool = True):
        """`wrapper`: a command that sets something up and then becomes the server, such as prlimit.
        `program`: another executable than `binary()`.
        `counted`: `allocations` counts what the server allocates.
        `port_option`: adds `--port 0` unless `arguments` name a port.
        """
        self.cwd = cwd
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._taking = threading.Event()
        self._taking.set()
        command = [*map(str, wrapper), str(program or binary()), *map(str, arguments)]
        if port_option and "--port" not in command:
            command += ["--port", "0"]
        if "--static-dir" not in command:
            command += ["--static-dir", str(ROOT / "static")]
        self.allocations: Allocations | None = None
        counted_in = cwd / f"allocations-{os.urandom(4).hex()}" if counted and can_count() else None
        if counted_in:
            env = counting(counted_in, env)
        self.process = processes.start(
            command, cwd=cwd, env=clean_environment(env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            line = self.wait_for_line(ADDRESS, 60)
            if counted_in:
                self.allocations = Allocations(counted_in)
        except BaseException:
            self.kill()
            raise
        scheme, port = ADDRESS.search(line).groups()
        self.port = int(port)
        self.secure = scheme == "https"
        host = "localhost" if self.secure else "127.0.0.1"
        self.url = f"{scheme}://{host}:{self.port}"
        self.ws_url = f"{'wss' if self.secure else 'ws'}://{host}:{self.port}/ws"
        certificate = cwd / "certs" / "dev-cert.pem"
        self.ca = str(certificate) if self.secure and certificate.exists() else None
        self.token: str | None = None

    def _read(self):
        for line in self.process.stdout:
            self._taking.wait()
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()

    @property
    def output(self) -> str:
        """Everything printed so far, standard output and standard error."""
        with self._changed:
            return "\n".join(self.lines)

    def hold_output(self):
        """Takes no more of what the server prints, until `take_output`."""
        self._taking.clear()

    def take_output(self):
        self._taking.set()

    def wait_for_line(self, pattern, seconds: float = 30) -> str:
        """The first line that matches; fails when none comes in time or the server ends."""
        expression = re.compile(pattern) if isinstance(pattern, str) else pattern
        deadline = time.monotonic() + seconds
        seen = 0
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if expression.search(line):
                        return line
                seen = len(self.lines)
                if self.process.poll() is not None and not self._reader.is_alive():
                    raise AssertionError("the server ended:\n" + "\n".join(self.lines))
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"no line like {pattern} in:\n" + "\n".join(self.lines))
                self._changed.wait(min(left, 0.5))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.kill()
        else:
            self.end()

    def memory(self, figure: str = "VmRSS") -> int:
        """Resident bytes of the server, which are good for figures; tests bound `allocations`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{figure}:\s+(\d+) kB", status).group(1)) * 1024

    def descriptors(self) -> int:
        """Files and sockets that the server has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor_time(self) -> float:
        """Seconds of processor time that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number: int):
        self.process.send_signal(number)

    def end(self):
        """Ends the server in good order; fails when its exit code is another than 0. Does nothing after `stop`."""
        if self.process.poll() is None:
            code = self.stop()
            assert code == 0, f"the server ended with {code}:\n{self.output}"

    def kill(self):
        self._taking.set()
        self.process.kill()
        self.process.wait()
        self._reader.join(10)

    def stop(self, seconds: float = 60) -> int:
        """Ends the server in good order; returns its exit code. The port is free afterwards."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the server did not stop:\n" + self.output) from None
        self._reader.join(10)
        return self.process.returncode
