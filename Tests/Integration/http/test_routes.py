"""HEAD, health, redirects, unknown paths, wrong methods, and the pages of the dashboard."""

import http.client
import json
import time

import pytest
from websockets.sync.client import connect

from Support.clients.access import call, led_to
from Support.clients.ingest import accept, assert_json, get, session
from Support.payloads import payload
from Support.servers.server import ROOT
from Support.wire.raw import RawConnection, request

RUNS = "/api/v1/runs"
DESCRIPTION = json.loads((ROOT / "static/openapi.json").read_text())

PATHS = [RUNS, f"{RUNS}/head", f"{RUNS}/head/latest", f"{RUNS}/absent", "/health", "/", "/static/css/base.css",
         "/openapi.json", "/docs", "/nowhere", "/health/", "/ws", "/static/%zz"]


@pytest.mark.parametrize("fields", [[], ["Accept-Encoding: gzip"], ["Origin: http://a.example"], ["If-Match: *"],
                                    ['If-None-Match: "x"'], ["If-None-Match: *"], ['If-Match: "x"']], ids=str)
@pytest.mark.parametrize("path", PATHS)
def test_head_has_every_header_of_get_and_no_body(server, path, fields):
    accept(server, payload("head"))
    with RawConnection(server) as raw:
        read, head = (raw.ask(request(path, method, fields), head=method == "HEAD") for method in ("GET", "HEAD"))
        # The connection is still in sync: the next response was not read as the body of this one.
        assert raw.ask(request()).json()["status"] == "healthy"
    assert head.status == read.status
    assert lasting(head) == lasting(read)


def lasting(answer) -> list[tuple[str, str]]:
    """The headers except Date and Transfer-Encoding.

    A body that is generated while it is sent has no known length, so HEAD omits the field (RFC 9110 section 9.3.2).
    """
    return [header for header in answer.headers if header[0] not in ("date", "transfer-encoding")]


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
    # A subscriber is counted before its handshake is answered.
    with connect(server.ws_url, proxy=None):
        assert active(server) == 1
        with connect(server.ws_url, proxy=None):
            assert active(server) == 2
        wait_until_active(server, 1)
    wait_until_active(server, 0)


@pytest.mark.parametrize(("method", "path"), [
    ("GET", RUNS), ("HEAD", RUNS), ("GET", f"{RUNS}/some"), ("GET", f"{RUNS}/a%2Fb"), ("GET", f"{RUNS}/some/latest"),
    ("GET", "/health"), ("GET", "/docs"), ("GET", "/openapi.json"), ("POST", "/api/v1/metrics/layerwise"),
])
def test_a_trailing_slash_is_redirected_to_the_path_without_it(server, method, path):
    response = session.request(method, server.url + path + "/", allow_redirects=False, timeout=30)
    assert response.status_code == 307
    assert led_to(response) == path


def test_a_redirect_leads_nowhere_else(server):
    for target in ("//example.org/", "//example.org//", "/\\example.org/"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", target)
        location = connection.getresponse().headers.get("Location", "/")
        connection.close()
        assert not location.startswith(("//", "/\\", "http://example", "https://example"))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/v1", "/api/v2", f"{RUNS}/a/b", f"{RUNS}/a/latest/b"])
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


METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.mark.parametrize(("path", "described"), [
    (path, {method.upper() for method in METHODS & item.keys()}) for path, item in DESCRIPTION["paths"].items()])
def test_the_description_has_the_methods_that_are_served_and_no_others(guarded, path, described):
    target = path.format(run_id="some", run="some", path="css/base.css")
    answer = call(guarded, "PATCH", target, "both")
    assert answer.status_code == 405
    # HEAD is allowed with GET, and OPTIONS everywhere.
    allowed = {item.strip() for item in answer.headers["Allow"].split(",")} - {"HEAD", "OPTIONS"}
    assert allowed == described
