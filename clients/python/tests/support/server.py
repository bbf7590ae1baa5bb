"""The real server over TLS: `NN_MONITOR_BINARY` names its program. It can be killed and started again on its port."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

#: Read at once: tests run without the variables of this name.
BINARY = os.environ.get("NN_MONITOR_BINARY") and os.path.abspath(os.environ["NN_MONITOR_BINARY"])
STATIC = Path(__file__).resolve().parents[4] / "static"
LISTENS = re.compile(r"listens on \S+ port (\d+)")
TRAINER = re.compile(r"^ *trainer +(NN_MONITOR_\S+=.*)$", re.MULTILINE)


class RealServer:
    """A server that keeps its runs in memory, so that it has forgotten them after a restart.

    Args:
        folder: for its files.
        certificate: with its key; copied, so that `install` may replace it.
        environment: variables that are no settings of the server.
        settings: of the server, beside those that every test needs, by their names in lower case.
    """

    def __init__(self, folder, certificate, environment=None, **settings):
        self.folder = Path(folder)
        self.certificate, self.key = self.folder / "server.crt", self.folder / "server.key"
        self.install(certificate)
        self.settings = {"max_runs": 100_000, "max_steps_per_run": 100_000, "static_dir": STATIC, **settings}
        self.environment = environment or {}
        self.token = secrets.token_urlsafe(24)
        self.reader = secrets.token_urlsafe(24)
        self.tokens = self.folder / "tokens"
        self.allow({"trainer": (self.token, "ingest,read,admin"), "reader": (self.reader, "read")})
        self.port = 0
        self.process = None
        self.output = ""

    def install(self, pair):
        """Puts a certificate and its key where the server reads them, at its start and at `reload`."""
        shutil.copy(pair.key, self.key)
        shutil.copy(pair.certificate, self.certificate)

    def allow(self, tokens):
        """Writes the tokens file, which the server reads when it starts: name to token and scopes."""
        self.tokens.write_text("".join(
            f"{name}:{scopes}:{hashlib.sha256(token.encode()).hexdigest()}\n"
            for name, (token, scopes) in tokens.items()))
        self.tokens.chmod(0o600)

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    @property
    def banner_settings(self):
        """The variables of the line that the banner offers to trainers."""
        return dict(pair.split("=", 1) for pair in TRAINER.search(self.output).group(1).split())

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NN_MONITOR_")}
        own = {
            "port": self.port, "auth_tokens_file": self.tokens, "tls_cert_file": self.certificate,
            "tls_key_file": self.key,
        }
        # Under libfaketime a Swift program cannot read its arguments, and the first program that loads the library
        # cannot even read its own name.
        environment.update({f"NN_MONITOR_{name.upper()}": str(it) for name, it in {**self.settings, **own}.items()})
        environment.update(self.environment)
        self.output = ""
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec "$0"', BINARY], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        listens = threading.Event()
        threading.Thread(target=self._read, args=(self.process, listens), daemon=True).start()
        if not listens.wait(60) or self.process.poll() is not None:
            raise AssertionError(f"the server did not start:\n{self.output}")
        self.port = int(LISTENS.search(self.output).group(1))
        return self

    def _read(self, process, listens):
        for line in process.stdout:
            self.output += line
            if not line.strip() and "  limits " in self.output:  # The banner is whole.
                listens.set()
        listens.set()

    def kill(self):
        """Ends it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(60)
            self.process = None

    def stop(self):
        """Ends it in good order, and requires that it ends so."""
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, self.output

    def reload(self):
        """Has it read its tokens and its certificate again, in whatever order."""
        before = self.output.count("reloaded")
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while self.output.count("reloaded") < before + 2:
            assert time.monotonic() < deadline, self.output
            time.sleep(0.01)

    def request(self, method, path, body=None, headers=None, token=None):
        """Status, headers with names in lower case, and body. Whatever its certificate, it is trusted."""
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=context)
        try:
            token = self.token if token is None else token
            authorization = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, body, {**authorization, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def hold_body(self, size):
        """A connection with a post of which so many bytes were sent, and the last one is not."""
        plain = socket.create_connection(("localhost", self.port), 60)
        connection = ssl._create_unverified_context().wrap_socket(plain, server_hostname="localhost")
        connection.sendall(
            f"POST /api/v2/runs/held/steps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {size + 1}\r\n\r\n".encode() + b" " * size)
        return connection

    def run(self, run):
        """The run; None if there is none."""
        status, _, body = self.request("GET", "/api/v2/runs/" + urllib.parse.quote(run, safe=""))
        return json.loads(body) if status == 200 else None

    def steps(self, run):
        """Steps by number."""
        status, _, body = self.request("GET", f"/api/v2/runs/{urllib.parse.quote(run, safe='')}/steps")
        steps = [json.loads(line) for line in body.splitlines()] if status == 200 else []
        return {step["step"]: step for step in steps}

    def wait_for_steps(self, run, wanted, seconds=120):
        """Waits until all these steps are there. The deadline is against hanging only."""
        deadline = time.monotonic() + seconds
        while not set(wanted) <= set(self.steps(run)):
            assert time.monotonic() < deadline, f"steps are missing: {sorted(set(wanted) - set(self.steps(run)))[:10]}"
            time.sleep(0.02)
