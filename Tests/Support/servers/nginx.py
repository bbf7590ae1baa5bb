"""nginx in front of a server, with the configuration that SECURITY.md gives."""

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from . import processes
from .server import ROOT

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
PREFIX = "/monitor"


def documented() -> str:
    """The configuration in SECURITY.md."""
    return re.search(r"```nginx\n(.*?)```", (ROOT / "SECURITY.md").read_text(), re.DOTALL)[1]


def without_upgrades(text: str) -> str:
    """A configuration that does not forward the upgrade of a WebSocket."""
    return re.sub(r".*(Upgrade|Connection) \$.*\n", "", text)


def refusing_upgrades(text: str) -> str:
    """A configuration that refuses the path of the WebSocket."""
    return text.replace("    location /monitor/ {", "    location = /monitor/ws { return 403; }\n\n    location /monitor/ {")


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Nginx:
    """Runs nginx for as long as `with` lasts; `url` is the address of the server behind it."""

    def __init__(self, server, folder: Path, change=lambda text: text):
        """`change` changes the configuration of SECURITY.md."""
        if PROGRAM is None:
            pytest.skip("nginx is not installed: apt-get install nginx-light")
        self.port = unused_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = self.origin + PREFIX
        self._folder = folder
        self._server_port = server.port
        self._process: subprocess.Popen | None = None
        self.configure(change)

    def configure(self, change=lambda text: text):
        """Takes effect with the next start."""
        text = change(documented())
        text = text.replace("listen 80;", f"listen 127.0.0.1:{self.port};").replace(":8000/", f":{self._server_port}/")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {self._folder}/{kind};\n" for kind in kinds)
        (self._folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self._folder}/nginx.pid; error_log stderr warn;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{places}{text}}}\n")

    def start(self):
        command = [PROGRAM, "-p", self._folder, "-e", "stderr", "-c", self._folder / "nginx.conf"]
        self._process = processes.start(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while True:
            assert self._process.poll() is None, self._process.stderr.read()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def stop(self):
        self._process.terminate()
        self._process.wait(30)
        self._process.stderr.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
