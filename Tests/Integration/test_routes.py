"""HEAD, health, redirects, paths that lead nowhere, wrong methods, and the pages of the dashboard."""

import http.client
import time
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect

from support.ingest import accept, assert_json, get, raw_get, session
from support.payloads import payload
from support.server import ROOT

RUNS = "/api/v1/runs"

PATHS = [RUNS, f"{RUNS}/head", f"{RUNS}/head/latest", f"{RUNS}/absent", "/health", "/", "/static/css/base.css",
         "/openapi.json", "/docs", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_as_get_does_without_a_body(server, path):
    accept(server, payload("head"))
    plain = {"Accept-Encoding": "identity"}
    read = session.get(server.url + path, headers=plain, timeout=30)
    head = session.head(server.url + path, headers=plain, timeout=30)
    assert head.status_code == read.status_code
    assert head.content == b""
    assert head.headers["Content-Type"] == read.headers["Content-Type"]
    if "Content-Length" in head.headers:
        assert int(head.headers["Content-Length"]) == len(read.content)
    # The connection is still in step: the next answer is not taken for a body.
    assert session.get(server.url + "/health", timeout=30).json()["status"] == "healthy"


def active(server) -> int:
    return get(server, "/health").json()["active_connections"]


def wait_until_active(server, number: int):
    deadline = time.monotonic() + 10
    while (seen := active(server)) != number:
        assert time.monotonic() < deadline, f"{seen} connections, not {number}"


def test_health_counts_the_subscribers(start_server):
    server = start_server()
    response = get(server, "/health")
    assert_json(response)
    assert response.text.startswith('{"status":"healthy","active_connections":0')
    with connect(server.ws_url, proxy=None) as first:
        first.recv(10)
        wait_until_active(server, 1)
        with connect(server.ws_url, proxy=None) as second:
            second.recv(10)
            wait_until_active(server, 2)
        wait_until_active(server, 1)
    wait_until_active(server, 0)


@pytest.mark.parametrize(("method", "path"), [
    ("GET", RUNS), ("HEAD", RUNS), ("GET", f"{RUNS}/some"), ("GET", f"{RUNS}/a%2Fb"), ("GET", f"{RUNS}/some/latest"),
    ("GET", "/health"), ("GET", "/docs"), ("GET", "/openapi.json"), ("POST", "/api/v1/metrics/layerwise"),
])
def test_a_trailing_slash_is_redirected_to_the_path_without_it(server, method, path):
    response = session.request(method, server.url + path + "/", allow_redirects=False, timeout=30)
    assert response.status_code == 307
    location = urlsplit(response.headers["Location"])
    assert location.path == path
    assert location.netloc in ("", f"127.0.0.1:{server.port}")


def test_a_redirect_leads_nowhere_else(server):
    for target in ("//example.org/", "//example.org//", "/\\example.org/"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", target)
        location = connection.getresponse().headers.get("Location", "/")
        connection.close()
        assert not location.startswith(("//", "/\\", "http://example", "https://example"))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/v1", "/api/v2/runs", f"{RUNS}/a/b", f"{RUNS}/a/latest/b"])
def test_an_unrouted_path_is_404(server, method, path):
    response = session.request(method, server.url + path, timeout=30)
    assert_json(response, 404)
    assert response.text == '{"detail":"Not Found"}'


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("POST", RUNS, {"GET", "HEAD"}), ("PATCH", RUNS, {"GET", "HEAD"}), ("PUT", f"{RUNS}/some", {"GET", "HEAD"}),
    ("POST", f"{RUNS}/some/latest", {"GET", "HEAD"}), ("DELETE", "/health", {"GET", "HEAD"}),
    ("GET", "/api/v1/metrics/layerwise", {"POST"}), ("HEAD", "/api/v1/metrics/layerwise", {"POST"}),
    ("PUT", "/api/v1/metrics/layerwise", {"POST"}), ("POST", "/docs", {"GET", "HEAD"}),
    ("DELETE", "/openapi.json", {"GET", "HEAD"}), ("POST", "/static/css/base.css", {"GET", "HEAD"}),
])
def test_a_wrong_method_is_405_and_says_which_are_right(server, method, path, allowed):
    response = session.request(method, server.url + path, timeout=30)
    assert response.status_code == 405
    assert allowed <= {item.strip() for item in response.headers["Allow"].split(",")}
    assert method not in response.headers["Allow"].split(", ")
    if method != "HEAD":
        assert_json(response, 405)
        assert response.text == '{"detail":"Method Not Allowed"}'


# Pages

STATIC = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "static").rglob("*") if path.is_file())
TYPES = {
    ".html": {"text/html"}, ".css": {"text/css"}, ".js": {"text/javascript", "application/javascript"},
    ".svg": {"image/svg+xml"}, ".json": {"application/json"}, ".png": {"image/png"}, ".ico": {"image/x-icon"},
    ".woff2": {"font/woff2"}, ".txt": {"text/plain"}, ".webmanifest": {"application/manifest+json"},
}


@pytest.mark.parametrize("path", STATIC)
def test_the_files_of_the_dashboard_are_served_as_they_are(server, path):
    response = get(server, "/" + path)
    assert response.status_code == 200
    assert response.content == (ROOT / path).read_bytes()
    assert response.headers["Content-Type"].split(";")[0].strip() in TYPES[(ROOT / path).suffix]


def test_the_dashboard_the_description_and_its_page_are_served(server):
    dashboard = get(server, "/")
    assert dashboard.status_code == 200 and dashboard.headers["Content-Type"].startswith("text/html")
    assert dashboard.content == (ROOT / "static/index.html").read_bytes()
    docs = get(server, "/docs")
    assert docs.status_code == 200 and docs.headers["Content-Type"].startswith("text/html")
    description = get(server, "/openapi.json")
    assert_json(description)
    paths = description.json()["paths"]
    for path in ("/api/v1/metrics/layerwise", RUNS, f"{RUNS}/{{run_id}}", f"{RUNS}/{{run_id}}/latest", "/health"):
        assert path in paths


@pytest.mark.parametrize("target", [
    "/static/nothing.js", "/static/../Package.swift", "/static/%2e%2e/Package.swift", "/static/..%2fPackage.swift",
    "/static/js/../../Package.swift", "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/index.html%00.js",
    "/../Package.swift", "/static/.", "/static/css",
])
def test_nothing_beside_the_files_of_the_dashboard_is_served(server, target):
    status, body = raw_get(server, target)
    assert status in (307, 400, 404)
    assert b"swift-tools-version" not in body and b"root:" not in body
