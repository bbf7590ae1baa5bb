"""Section 6 of the contract: tokens, scopes, sessions of browsers, CORS and the headers of every response."""

import hashlib
import re
import signal
from http.cookies import SimpleCookie

import pytest
import requests
from support.clients import healthy, post, post_steps, receive, session, subscribe, wait_until
from support.payloads import payload, run_id, served
from support.raw import INGEST, RawConnection, ingest, request
from support.raw_websocket import RawWebSocket
from support.server import Server

TOKENS = {name: f"{name}-token-4f9c2a7e1b" for name in ("trainer", "viewer", "both", "boss")}
SCOPES = {"trainer": "ingest", "viewer": "read", "both": "ingest,read", "boss": "admin,ingest,read"}


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def tokens_file(folder, names=SCOPES) -> str:
    path = folder / "tokens"
    path.write_text("".join(
        f"{name}:{SCOPES[name]}:{digest(TOKENS[name])}\n" for name in names))
    path.chmod(0o600)
    return str(path)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with a tokens file, over plain HTTP; failures are not slowed."""
    folder = tmp_path_factory.mktemp("guarded")
    running = Server(["--auth-tokens-file", tokens_file(folder), "--auth-failure-limit", "1000000",
                      "--max-runs", "1000"], None, folder)
    yield running
    assert running.stop() == 0, running.output


@pytest.fixture(scope="module")
def guarded_tls(tmp_path_factory):
    """The same over HTTPS."""
    folder = tmp_path_factory.mktemp("guarded-tls")
    running = Server(["--auth-tokens-file", tokens_file(folder), "--auth-failure-limit", "1000000", "--tls", "dev"],
                     None, folder)
    yield running
    assert running.stop() == 0, running.output


def bearer(name: str) -> dict:
    return {"Authorization": f"Bearer {TOKENS[name]}"}


def call(server, method: str, path: str, token: str = "", **options) -> requests.Response:
    """One request without following redirects; `token` is a name of the tokens file."""
    with session(server, TOKENS.get(token, "")) as client:
        return client.request(method, server.url + path, allow_redirects=False, timeout=20, **options)


def log_in(server, token: str = "both") -> tuple[str, str]:
    """Logs in as a browser does; returns the Cookie header and the whole Set-Cookie."""
    answer = call(server, "POST", "/login", data={"token": TOKENS[token]})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    whole = answer.headers["Set-Cookie"]
    return whole.split(";")[0], whole


def origin(server) -> str:
    return server.url


# Tokens and scopes


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"},
    {"Authorization": f"Basic {TOKENS['both']}"}, {"Authorization": TOKENS["both"]},
    {"Authorization": f"Bearer {TOKENS['both']}x"}, {"Authorization": f"Bearer {TOKENS['both'][:-1]}"},
    {"Authorization": f"Bearer {digest(TOKENS['both'])}"}, {"Cookie": "session=forged"}])
@pytest.mark.parametrize("method, path", [
    ("POST", INGEST), ("GET", "/api/v1/runs"), ("GET", "/api/v1/runs/a"), ("GET", "/api/v1/runs/a/latest"),
    ("GET", "/ws")])
def test_without_a_good_token_the_answer_is_401(guarded, method, path, headers):
    body = payload("a") if method == "POST" else None
    answer = call(guarded, method, path, json=body, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert list(answer.json()["detail"]) == ["error", "message"]
    assert answer.json()["detail"]["error"] == "unauthorized"
    assert TOKENS["both"] not in answer.text


@pytest.mark.parametrize("name, may_post, may_read", [
    ("trainer", True, False), ("viewer", False, True), ("both", True, True), ("boss", True, True)])
def test_scopes_allow_what_they_say_and_no_more(guarded, name, may_post, may_read):
    run = run_id()
    answers = [
        (call(guarded, "POST", INGEST, name, json=payload(run)), may_post, 202),
        (call(guarded, "GET", "/api/v1/runs", name), may_read, 200),
        (call(guarded, "GET", "/api/v1/runs/nothing/latest", name), may_read, 404),
        (call(guarded, "GET", "/ws", name), may_read, 426),
    ]
    for answer, allowed, status in answers:
        assert answer.status_code == (status if allowed else 403)
        if not allowed:
            assert answer.json()["detail"]["error"] == "forbidden"
            assert answer.json()["detail"]["message"]
    assert (run in call(guarded, "GET", "/api/v1/runs", "boss").json()) == may_post


@pytest.mark.parametrize("name, status", [("trainer", 403), ("viewer", 101), ("nobody", 401)])
def test_websocket_needs_the_scope_read(guarded, name, status):
    token = TOKENS.get(name, "wrong")
    with RawWebSocket(guarded, headers=[f"Authorization: Bearer {token}"]) as socket:
        assert socket.answer.status == status


def test_bearer_scheme_is_read_in_any_case(guarded):
    answer = call(guarded, "GET", "/api/v1/runs", headers={"Authorization": f"bearer {TOKENS['viewer']}"})
    assert answer.status_code == 200


def test_two_authorization_headers_are_not_accepted(guarded):
    with RawConnection(guarded) as socket:
        answer = socket.ask(request("/api/v1/runs", headers=[
            "Authorization: Bearer wrong", f"Authorization: Bearer {TOKENS['viewer']}"]))
    assert answer.status in (400, 401)


def test_setting_with_one_token_gives_every_scope(secure_server):
    with session(secure_server) as client:
        run = run_id()
        post_steps(client, secure_server, run, [1])
        assert run in client.get(secure_server.url + "/api/v1/runs").json()
        assert client.get(secure_server.url + "/").status_code == 200


def test_unrouted_path_does_not_tell_what_exists_to_strangers(guarded):
    assert call(guarded, "GET", "/nowhere").status_code in (401, 404)
    assert call(guarded, "GET", "/nowhere", "viewer").status_code == 404


@pytest.mark.parametrize("path", [
    "/health", "/login", "/static/css/login.css", "/static/js/login.js", "/static/favicon.svg"])
def test_health_and_the_login_page_need_no_token(guarded, path):
    assert call(guarded, "GET", path).status_code == 200


def test_repeated_failures_are_slowed_with_429(start_server):
    own = start_server("--auth-failure-limit", 5, env={"NN_MONITOR_AUTH_TOKEN": "the-right-one"})
    with session(own, "wrong") as client:
        statuses = []
        answer = None
        for _ in range(30):
            answer = client.get(own.url + "/api/v1/runs", timeout=20)
            statuses.append(answer.status_code)
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429
    assert set(statuses) == {401, 429}
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["detail"]["message"]
    assert healthy(own)


def test_repeated_failures_of_the_login_form_are_slowed_too(start_server):
    own = start_server("--auth-failure-limit", 5, env={"NN_MONITOR_AUTH_TOKEN": "the-right-one"})
    statuses = [call(own, "POST", "/login", data={"token": f"guess-{index}"}).status_code for index in range(20)]
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429


def test_successes_are_not_slowed(start_server):
    own = start_server("--auth-failure-limit", 3, env={"NN_MONITOR_AUTH_TOKEN": "the-right-one"})
    with session(own) as client:
        assert {client.get(own.url + "/api/v1/runs", timeout=20).status_code for _ in range(40)} == {200}


# Sessions of browsers


def test_page_without_session_redirects_to_the_login(guarded):
    answer = call(guarded, "GET", "/")
    assert answer.status_code in (302, 303, 307)
    assert answer.headers["Location"].startswith("/login")


@pytest.mark.parametrize("secure", [False, True])
def test_login_sets_a_session_cookie(guarded, guarded_tls, secure):
    server = guarded_tls if secure else guarded
    pair, whole = log_in(server)
    cookie = next(iter(SimpleCookie(whole).values()))
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "strict"
    assert bool(cookie["secure"]) == secure
    assert cookie["path"] == "/"
    assert int(cookie["max-age"]) == 12 * 3600
    assert TOKENS["both"] not in whole
    assert digest(TOKENS["both"]) not in whole
    page = call(server, "GET", "/", headers={"Cookie": pair})
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert call(server, "GET", "/api/v1/runs", headers={"Cookie": pair}).status_code == 200


def test_each_login_is_a_session_of_its_own(guarded):
    assert log_in(guarded)[0] != log_in(guarded)[0]


def test_login_with_a_wrong_token_is_401_and_sets_no_cookie(guarded):
    for data in ({"token": "wrong"}, {"token": ""}, {}):
        answer = call(guarded, "POST", "/login", data=data)
        assert answer.status_code in (400, 401, 415)
        assert "Set-Cookie" not in answer.headers
    assert call(guarded, "POST", "/login", data={"token": "wrong"}).status_code == 401


def test_token_in_the_address_is_taken_away_by_a_redirect(guarded):
    answer = call(guarded, "GET", f"/?token={TOKENS['viewer']}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    assert "no-store" in answer.headers.get("Cache-Control", "")
    pair = answer.headers["Set-Cookie"].split(";")[0]
    assert call(guarded, "GET", "/", headers={"Cookie": pair}).status_code == 200


def test_wrong_token_in_the_address_gives_no_session(guarded):
    answer = call(guarded, "GET", "/?token=wrong")
    assert answer.status_code in (302, 303, 307, 401)
    assert "Set-Cookie" not in answer.headers
    assert "wrong" not in answer.headers.get("Location", "")


def test_token_in_the_address_opens_nothing_but_the_page(guarded):
    assert call(guarded, "GET", f"/api/v1/runs?token={TOKENS['viewer']}").status_code == 401


def test_logout_ends_the_session(guarded):
    pair, _ = log_in(guarded)
    headers = {"Cookie": pair, "Origin": origin(guarded)}
    answer = call(guarded, "POST", "/logout", headers=headers)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login")
    assert answer.headers["Set-Cookie"].startswith(pair.split("=")[0] + "=")
    assert call(guarded, "GET", "/api/v1/runs", headers={"Cookie": pair}).status_code == 401


def test_session_has_the_scopes_of_its_token(guarded):
    pair, _ = log_in(guarded, "viewer")
    answer = call(guarded, "POST", INGEST, json=payload("a"), headers={"Cookie": pair, "Origin": origin(guarded)})
    assert answer.status_code == 403


@pytest.mark.parametrize("foreign", [
    "https://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1:1", "https://127.0.0.1"])
def test_cookie_with_a_foreign_origin_cannot_post_or_open_a_websocket(guarded, foreign):
    pair, _ = log_in(guarded)
    run = run_id()
    answer = call(guarded, "POST", INGEST, json=payload(run), headers={"Cookie": pair, "Origin": foreign})
    assert answer.status_code == 403
    assert run not in call(guarded, "GET", "/api/v1/runs", "viewer").json()
    with RawWebSocket(guarded, headers=[f"Cookie: {pair}", f"Origin: {foreign}"]) as socket:
        assert socket.answer.status == 403
    logout = call(guarded, "POST", "/logout", headers={"Cookie": pair, "Origin": foreign})
    assert logout.status_code == 403


@pytest.mark.parametrize("secure", [False, True])
def test_cookie_with_the_own_origin_may_post_and_open_a_websocket(guarded, guarded_tls, secure):
    server = guarded_tls if secure else guarded
    pair, _ = log_in(server)
    run = run_id()
    with subscribe(server, headers={"Cookie": pair}, origin=origin(server)) as socket:
        assert receive(socket)["type"] == "initial_runs"
        body = payload(run)
        answer = call(server, "POST", INGEST, json=body, headers={"Cookie": pair, "Origin": origin(server)})
        assert answer.status_code == 202
        assert receive(socket, "new_metrics", run)["data"] == served(body)


def test_bearer_with_a_foreign_origin_may_post(guarded):
    headers = {"Origin": "https://notebook.example"}
    answer = call(guarded, "POST", INGEST, "trainer", json=payload(run_id()), headers=headers)
    assert answer.status_code == 202


# CORS


def test_preflight_is_answered_without_authentication(guarded):
    answer = call(guarded, "OPTIONS", INGEST, headers={
        "Origin": "https://notebook.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,content-encoding"})
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://notebook.example")
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "*" not in allowed, "a star does not cover Authorization"
    assert {"authorization", "content-type", "content-encoding"} <= {name.strip() for name in allowed.split(",")}
    assert "origin" in answer.headers["Vary"].lower()
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path, token, status", [
    ("/api/v1/runs", "viewer", 200), ("/api/v1/runs", "", 401), ("/api/v1/runs/none", "viewer", 404),
    ("/health", "", 200)])
def test_any_origin_may_read_by_default_without_credentials(guarded, path, token, status):
    answer = call(guarded, "GET", path, token, headers={"Origin": "https://notebook.example"})
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://notebook.example")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.parametrize("origins", [
    '["https://a.example","http://b.example:3000"]', "https://a.example,http://b.example:3000"])
def test_configured_origins_alone_are_allowed(start_server, origins):
    own = start_server("--cors-origins", origins)
    for name, allowed in [("https://a.example", True), ("http://b.example:3000", True), ("http://b.example", False),
                          ("https://evil.example", False), ("https://a.example.evil.example", False)]:
        for method, extra in (("GET", {}), ("OPTIONS", {"Access-Control-Request-Method": "GET"})):
            answer = call(own, method, "/api/v1/runs", headers={"Origin": name, **extra})
            assert answer.headers.get("Access-Control-Allow-Origin") == (name if allowed else None)
            assert "origin" in answer.headers["Vary"].lower()


# Headers of every response


def responses(server):
    """One response of every kind."""
    viewer = {"headers": bearer("viewer")}
    yield 200, call(server, "GET", "/health")
    yield 200, call(server, "HEAD", "/health")
    yield 200, call(server, "GET", "/login")
    yield 200, call(server, "GET", "/", **viewer)
    yield 200, call(server, "GET", "/static/css/base.css")
    yield 200, call(server, "GET", "/api/v1/runs", **viewer)
    yield 200, call(server, "GET", "/openapi.json", **viewer)
    yield 303, call(server, "GET", f"/?token={TOKENS['viewer']}")
    yield 307, call(server, "GET", "/health/", **viewer)
    yield 401, call(server, "GET", "/api/v1/runs")
    yield 403, call(server, "POST", INGEST, json=payload("a"), **viewer)
    yield 404, call(server, "GET", "/api/v1/runs/none", **viewer)
    yield 404, call(server, "GET", "/nowhere", **viewer)
    yield 405, call(server, "DELETE", "/health", **viewer)
    yield 415, call(server, "POST", INGEST, data=b"x", headers={**bearer("trainer"), "Content-Type": "text/plain"})
    yield 422, call(server, "POST", INGEST, json={}, headers=bearer("trainer"))
    yield 202, call(server, "POST", INGEST, json=payload("headers"), headers=bearer("trainer"))
    yield 426, call(server, "GET", "/ws", **viewer)


@pytest.mark.parametrize("secure", [False, True])
def test_every_response_has_the_protecting_headers(guarded, guarded_tls, secure):
    for status, answer in responses(guarded_tls if secure else guarded):
        name = f"{answer.request.method} {answer.request.path_url}"
        assert answer.status_code == status, name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert answer.headers["Referrer-Policy"] == "no-referrer", name
        assert ("Strict-Transport-Security" in answer.headers) == secure, name
        policy = answer.headers.get("Content-Security-Policy", "")
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            assert policy, name
        assert "unsafe-inline" not in policy and "unsafe-eval" not in policy, name
        server_header = answer.headers.get("Server", "")
        assert not re.search(r"\d+\.\d+", server_header), name


def test_bad_requests_have_the_protecting_headers_too(guarded):
    for data in (b"garbage\r\n\r\n", request("/health", host=None), request("/health", headers=["X: " + "y" * 60000])):
        with RawConnection(guarded) as socket:
            answer = socket.ask(data)
            assert answer.status in (400, 431)
            assert answer["x-content-type-options"] == "nosniff"
            assert answer["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/login", "/docs"])
def test_pages_forbid_inline_scripts_and_frames(guarded, path):
    answer = call(guarded, "GET", path, "viewer")
    assert answer.status_code == 200
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";") if part.strip()]
    policy = {part[0]: part[1:] for part in parts}
    scripts = policy.get("script-src", policy.get("default-src"))
    assert scripts
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "http:", "https:"} & set(scripts)
    assert policy["frame-ancestors"] == ["'none'"]
    assert "<script>" not in answer.text and " onclick=" not in answer.text


# Modes


def test_other_address_without_a_token_makes_one_and_prints_it_once(start_server):
    own = start_server("--host", "0.0.0.0")
    line = own.wait_for_line(r"[?&]token=")
    token = re.search(r"[?&]token=([\w.~+/=%-]+)", line).group(1)
    assert len(token) >= 22
    assert call(own, "GET", "/api/v1/runs").status_code == 401
    assert call(own, "GET", "/api/v1/runs", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    answer = call(own, "GET", f"/?token={token}")
    assert answer.status_code == 303
    assert call(own, "GET", "/", headers={"Cookie": answer.headers["Set-Cookie"].split(";")[0]}).status_code == 200
    assert own.stop() == 0
    # Once for each address in the banner, and never in the log.
    holding = [line for line in own.lines if token in line]
    assert all(re.fullmatch(r"\s*https?://\S+/\?token=\S+", line) for line in holding)
    assert len(set(holding)) == len(holding)


def test_each_start_makes_another_token(start_server):
    lines = [start_server("--host", "0.0.0.0").wait_for_line("token=") for _ in range(2)]
    tokens = {re.search(r"token=(\S+)", line).group(1) for line in lines}
    assert len(tokens) == 2


def test_other_address_with_a_token_prints_no_token(start_server):
    own = start_server("--host", "0.0.0.0", env={"NN_MONITOR_AUTH_TOKEN": "the-secret-of-this-test"})
    assert call(own, "GET", "/api/v1/runs").status_code == 401
    with session(own) as client:
        assert client.get(own.url + "/api/v1/runs").status_code == 200
    assert own.stop() == 0
    assert "the-secret-of-this-test" not in own.output


def test_loopback_without_a_token_is_open(server):
    assert call(server, "GET", "/api/v1/runs").status_code == 200
    assert call(server, "GET", "/").status_code == 200


def test_auth_off_is_open_everywhere(start_server):
    own = start_server("--host", "0.0.0.0", "--auth", "off")
    assert call(own, "GET", "/api/v1/runs").status_code == 200
    assert "token=" not in own.output


def test_access_log_has_a_line_for_each_request_and_no_secret(start_server, tmp_path):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--log-level", "trace")
    token = TOKENS["both"]
    pair, _ = log_in(own)
    call(own, "GET", f"/?token={token}")
    call(own, "GET", f"/api/v1/runs?token={token}")
    call(own, "GET", "/health?token=" + token.replace("-", "%2D"))
    call(own, "GET", "/api/v1/runs", "both")
    call(own, "GET", "/api/v1/runs", headers={"Cookie": pair})
    call(own, "GET", "/api/v1/runs/marker-of-this-test", "both")
    call(own, "GET", "/api/v1/runs", headers={"Authorization": "Bearer almost-" + token})
    with RawWebSocket(own, headers=[f"Authorization: Bearer {token}"]) as socket:
        assert socket.answer.status == 101
    own.wait_for_line("marker-of-this-test")
    assert own.stop() == 0
    for secret in (token, token.replace("-", "%2D"), digest(token), pair.split("=", 1)[1], token[:12]):
        assert secret not in own.output
    assert re.search(r"GET.*/api/v1/runs/marker-of-this-test.*404|404.*/api/v1/runs/marker-of-this-test", own.output)


def test_log_line_cannot_be_forged_by_a_path(start_server):
    own = start_server()
    with RawConnection(own) as socket:
        socket.ask(request("/api/v1/runs/a%0d%0aFORGED%1b[31m"))
    own.wait_for_line("FORGED")
    assert not any(line.startswith("FORGED") for line in own.lines)
    assert "\x1b" not in own.output


# Tokens file


def test_reload_takes_new_tokens_and_drops_old_ones(start_server, tmp_path):
    path = tokens_file(tmp_path, ["viewer", "trainer"])
    own = start_server("--auth-tokens-file", path, "--auth-failure-limit", 1000)
    with subscribe(own, headers=bearer("viewer")) as socket:
        assert receive(socket)["type"] == "initial_runs"
        tokens_file(tmp_path, ["both", "trainer"])
        own.signal(signal.SIGHUP)
        wait_until(lambda: call(own, "GET", "/api/v1/runs", "both").status_code == 200)
        assert call(own, "GET", "/api/v1/runs", "viewer").status_code == 401
        body = payload(run_id())
        with session(own, TOKENS["trainer"]) as client:
            assert post(client, own, body).status_code == 202
        assert receive(socket, "new_metrics")["data"] == served(body)


def test_reload_of_a_bad_tokens_file_keeps_the_old_one_and_says_why(start_server, tmp_path):
    path = tokens_file(tmp_path)
    own = start_server("--auth-tokens-file", path)
    before = len(own.lines)
    (tmp_path / "tokens").write_text("viewer:read:not-a-digest\n")
    own.signal(signal.SIGHUP)
    wait_until(lambda: any("tokens" in line for line in own.lines[before:]), why=own.output)
    assert call(own, "GET", "/api/v1/runs", "viewer").status_code == 200


@pytest.mark.parametrize("headers", [[], ["Authorization: Bearer wrong"]])
def test_stranger_is_refused_before_the_body_is_read(guarded, headers):
    with RawConnection(guarded) as socket:
        socket.send(ingest(b"", headers=[*headers, "Content-Length: 1000000"]))
        assert socket.read_response().status == 401
