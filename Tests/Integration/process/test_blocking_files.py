"""Files that block or are not regular files: a pipe in place of a file, a hanging mount, a missing /proc."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess

import pytest
from Support.clients.access import TOKENS, call, tokens_file
from Support.clients.libraries import healthy, wait_until
from Support.servers.certificates import fingerprint, install, presented
from Support.servers.server import ROOT, end_of_start

STATIC = ["--port", "0", "--static-dir", str(ROOT / "static")]
SIGHUPS = 5_000


@contextlib.contextmanager
def blocked(file):
    """Makes open() of the file block, as on a hanging mount, for the system's /proc/sys/fs/lease-break-time."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            pytest.skip(f"this file system has no leases: {error}")
        yield
    finally:
        os.close(descriptor)
        signal.signal(signal.SIGIO, before)


@pytest.mark.parametrize("option", [
    "--tls-cert-file", "--tls-key-file", "--tls-client-ca-file", "--auth-tokens-file", "--static-dir", ".env",
    "static/index.html"])
def test_a_pipe_in_the_place_of_a_file_stops_the_start(made, tmp_path, option):
    install(made.server, tmp_path)
    shutil.copy(made.authority.certificate, tmp_path / "ca.pem")
    shutil.copytree(ROOT / "static", tmp_path / "static")
    files = {"--tls-cert-file": tmp_path / "server.pem", "--tls-key-file": tmp_path / "server.key",
             "--tls-client-ca-file": tmp_path / "ca.pem", "--auth-tokens-file": tokens_file(tmp_path),
             "--static-dir": tmp_path / "static"}
    pipe = tmp_path / "pipe"
    if option in files:
        files[option] = pipe
    else:
        pipe = tmp_path / option
        pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    done = end_of_start(["--port", 0, *(part for pair in files.items() for part in pair)], tmp_path)
    assert done.returncode == 64, done.stderr
    assert pipe.name in done.stderr and "regular file" in done.stderr or option == "--static-dir"
    assert len(done.stderr.splitlines()) == 1


def test_links_to_files_are_followed_as_kubernetes_makes_them(start_server, made, tmp_path):
    for number, pair in enumerate((made.server, made.renewed)):
        folder = tmp_path / f"..data-{number}"
        folder.mkdir()
        install(pair, folder)
    (tmp_path / "..data").symlink_to("..data-0")
    for name in ("server.pem", "server.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    own = start_server("--tls-cert-file", tmp_path / "server.pem", "--tls-key-file", tmp_path / "server.key")
    own.ca = str(made.authority.certificate)
    assert presented(own) == fingerprint(made.server)
    (tmp_path / "..new").symlink_to("..data-1")
    (tmp_path / "..new").rename(tmp_path / "..data")
    own.signal(signal.SIGHUP)
    wait_until(lambda: presented(own) == fingerprint(made.renewed))


def test_a_pipe_at_reload_is_refused_and_the_rest_is_read(start_tls, made, tmp_path):
    tokens = tokens_file(tmp_path, ["trainer"])
    own = start_tls("--auth-tokens-file", tokens)
    (tmp_path / "server.pem").unlink()
    os.mkfifo(tmp_path / "server.pem")
    tokens_file(tmp_path, ["trainer", "viewer"])
    own.signal(signal.SIGHUP)
    own.wait_for_line("not reloaded.*regular file")
    wait_until(lambda: call(own, "GET", "/api/v1/runs", "viewer").status_code == 200)
    (tmp_path / "server.pem").unlink()
    install(made.renewed, tmp_path)
    own.signal(signal.SIGHUP)
    wait_until(lambda: presented(own) == fingerprint(made.renewed))


def test_a_certificate_that_cannot_be_opened_holds_up_no_other_reload_and_no_end(start_tls, tmp_path):
    tokens = tokens_file(tmp_path, ["trainer"])
    own = start_tls("--auth-tokens-file", tokens, "--file-timeout", 1, "--shutdown-grace", 20)
    with blocked(tmp_path / "server.key"):
        own.signal(signal.SIGHUP)
        own.wait_for_line("not reloaded.*could not be read within")
        # Later reloads are not delayed either, while the first attempt's thread is still blocked.
        tokens_file(tmp_path, ["trainer", "viewer"])
        own.signal(signal.SIGHUP)
        own.wait_for_line("not reloaded.*an earlier attempt")
        wait_until(lambda: call(own, "GET", "/api/v1/runs", "viewer").status_code == 200)
        assert TOKENS["viewer"] not in own.output
        healthy(own)
        own.signal(signal.SIGTERM)
        assert own.process.wait(15) == 0, own.output


def test_a_certificate_that_cannot_be_opened_stops_the_start(made, tmp_path):
    install(made.server, tmp_path)
    with blocked(tmp_path / "server.pem"):
        done = end_of_start(
            [*STATIC, "--tls-cert-file", tmp_path / "server.pem", "--tls-key-file", tmp_path / "server.key",
             "--file-timeout", 1], tmp_path)
    assert done.returncode != 0
    assert "TLS certificate: it could not be read within" in done.stderr


def test_the_server_ends_in_time_after_thousands_of_reloads_were_asked_for(start_tls):
    own = start_tls("--shutdown-grace", 10)
    for _ in range(SIGHUPS):
        own.signal(signal.SIGHUP)
    own.signal(signal.SIGTERM)
    assert own.process.wait(30) == 0, own.output[-2000:]
    reloads = sum("what=\"static files\"" in line for line in own.lines)
    assert reloads < SIGHUPS


def test_without_proc_the_start_is_refused_since_no_option_can_be_read(tmp_path):
    script = 'mount -t tmpfs none /proc || exit 77; exec "$@"'
    wrapper = ["unshare", "-m", "sh", "-c", script, "sh"]
    try:
        probe = subprocess.run([*wrapper, "true"], capture_output=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if probe.returncode != 0:
        pytest.skip("/proc cannot be hidden here: it takes root")
    done = end_of_start(["--port", "0"], tmp_path, wrapper)
    if "LeakSanitizer has encountered a fatal error" in done.stderr:
        pytest.skip("LeakSanitizer, and its options, need /proc")
    assert done.returncode == 64, done.stdout
    assert "/proc is not mounted" in done.stderr
    assert done.stdout == ""
