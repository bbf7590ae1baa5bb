"""Server-Sent Events arrive at once: compressed, in curl, and behind nginx."""

import json
import random
import shutil
import signal
import socket
import subprocess

import pytest
from Support.clients.events import PATH, EventStream, large_step
from Support.clients.libraries import wait_until
from Support.clients.openwire import accept_steps
from Support.clients.runs import put
from Support.payloads import run_id
from Support.servers import processes


@pytest.mark.parametrize("gzip", [False, True])
def test_each_event_arrives_before_the_next_one_is_posted(either, gzip):
    run = run_id("flushed")
    put(either, run, {}, 201)
    with EventStream(either, run=run, form="columns", gzip=gzip) as stream:
        for number in range(50):
            # Short and long ones, which zlib would hold back.
            accept_steps(either, run, {"step": number, "scalars": {f"s{index}": index for index in range(number * 4)}})
            assert stream.steps(1) == [(number + 1, number)]


def test_each_compressed_stream_has_its_own_checksum_at_the_end(start_server):
    server = start_server()
    put(server, "r", {}, 201)
    streams = [EventStream(server, run="r", form="columns", gzip=True) for _ in range(20)]
    # Different numbers of events before: each stream has its own checksum at the end.
    late = EventStream(server, run="r", form="columns", gzip=True, since_seq=0)
    rng = random.Random(1)
    for number in range(20):
        accept_steps(server, "r", large_step(number, rng))
    early = EventStream(server, run="r", form="columns", gzip=True, since_seq=5)
    pieces = []
    for stream in (*streams, late, early):
        assert len(stream.steps(15)) == 15
        pieces.append(stream)
    server.signal(signal.SIGTERM)
    for stream in pieces:
        stream.rest()
        assert stream.is_complete


def test_curl_shows_live_steps(server):
    run = run_id("curl")
    put(server, run, {}, 201)
    url = f"{server.url}{PATH}?run={run}&form=columns"
    for options in ([], ["--compressed"], ["--http1.0"]):
        curl = processes.start(["curl", "-sN", *options, url], stdout=subprocess.PIPE, text=True)
        try:
            assert curl.stdout.readline().startswith("id: ")
            assert curl.stdout.readline() == "\n"
            for number in range(3):
                seq = accept_steps(server, run, {"step": number})["seq"]
                assert curl.stdout.readline() == f"id: {seq}\n"
                line = curl.stdout.readline()
                assert json.loads(line.removeprefix("data: "))["data"]["step"] == number
                assert curl.stdout.readline() == "\n"
        finally:
            curl.kill()
            curl.wait()
            curl.stdout.close()


# Behind a proxy

NGINX = """
daemon off; error_log stderr; pid {folder}/pid; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {url}; proxy_set_header Host $http_host; {more} }}
  }}
}}
"""


class Proxy:
    """An address to connect to, as `EventStream` takes it."""

    secure, token, ca = False, None, None

    def __init__(self, port: int):
        self.port = port


@pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin"), reason="needs nginx")
@pytest.mark.parametrize("more", [
    pytest.param("proxy_http_version 1.1;", id="buffering on"), pytest.param("", id="HTTP 1.0 to the server"),
    pytest.param("proxy_http_version 1.1; proxy_ignore_headers X-Accel-Buffering; proxy_buffering off;",
                 id="the remedy of API.md"),
    pytest.param("proxy_http_version 1.1; gzip on; gzip_types text/event-stream;", id="gzip")])
def test_nginx_passes_each_event_on_at_once(server, tmp_path, more):
    run = run_id("nginx")
    put(server, run, {}, 201)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, url=server.url, more=more))
    nginx = processes.start([shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin"), "-p", str(tmp_path), "-c",
                             str(tmp_path / "nginx.conf")])
    try:
        def is_listening() -> bool:
            with socket.socket() as attempt:
                return attempt.connect_ex(("127.0.0.1", port)) == 0
        wait_until(is_listening)
        with EventStream(Proxy(port), run=run, form="columns", gzip="gzip" in more) as stream:
            for number in range(5):
                accept_steps(server, run, {"step": number})
                assert stream.steps(1) == [(number + 1, number)]
            last_id = stream.last_id
        accept_steps(server, run, {"step": 9})
        with EventStream(Proxy(port), last_id, run=run, form="columns", gzip="gzip" in more) as stream:
            assert stream.steps(1) == [(6, 9)]
    finally:
        nginx.terminate()
        nginx.wait()
