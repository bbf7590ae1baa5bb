"""Browser sessions: their cookies, and the origins that may use them."""

from http.cookies import SimpleCookie

import pytest
from Support.clients.access import TOKENS, call, digest, led_to, log_in, tokens_file
from Support.clients.libraries import receive, subscribe
from Support.payloads import payload, run_id, served
from Support.wire.raw import INGEST, RawConnection, request
from Support.wire.raw_websocket import RawWebSocket


def test_page_without_session_redirects_to_the_login(guarded):
    answer = call(guarded, "GET", "/")
    assert answer.status_code in (302, 303, 307)
    assert led_to(answer) == "/login"


@pytest.mark.parametrize(("path", "login"), [
    ("/", "/login"), ("/docs", "/login?next=docs"), ("/docs?a=1", "/login?next=docs"), ("/?a=/docs", "/login")])
def test_the_login_knows_the_page_that_was_asked_for(guarded, path, login):
    assert led_to(call(guarded, "GET", path)) == login


@pytest.mark.parametrize(("file", "path"), [("index", "/"), ("docs", "/docs"), ("login", "/login")])
def test_a_page_has_one_path_because_its_addresses_are_relative(guarded, file, path):
    answer = call(guarded, "GET", f"/static/{file}.html?token={TOKENS['viewer']}")
    assert answer.status_code == 303
    assert led_to(answer) == path
    assert "Set-Cookie" not in answer.headers


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
    assert led_to(answer) == "/"
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
    headers = {"Cookie": pair, "Origin": guarded.url}
    answer = call(guarded, "POST", "/logout", headers=headers)
    assert answer.status_code == 303
    assert led_to(answer) == "/login"
    assert answer.headers["Set-Cookie"].startswith(pair.split("=")[0] + "=")
    assert call(guarded, "GET", "/api/v1/runs", headers={"Cookie": pair}).status_code == 401


def test_session_has_the_scopes_of_its_token(guarded):
    pair, _ = log_in(guarded, "viewer")
    answer = call(guarded, "POST", INGEST, json=payload("a"), headers={"Cookie": pair, "Origin": guarded.url})
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


def test_login_behind_a_proxy_that_ends_tls_is_refused_with_the_reason(guarded):
    origin = f"https://127.0.0.1:{guarded.port}"
    answer = call(guarded, "POST", "/login", data={"token": TOKENS["both"]}, headers={"Origin": origin})
    assert answer.status_code == 403
    message = answer.json()["detail"]["message"]
    assert all(part in message for part in (origin, guarded.url, "proxy", "TLS", "Host"))


# Sessions side by side


def test_logins_of_one_token_do_not_evict_the_sessions_of_another(guarded):
    pair, _ = log_in(guarded, "viewer")
    count, ahead = 4200, 100
    with RawConnection(guarded) as connection:
        for _ in range(count // ahead):
            connection.send(request(f"/?token={TOKENS['trainer']}") * ahead)
            for _ in range(ahead):
                assert connection.read_response()["set-cookie"]
    assert call(guarded, "GET", "/api/v1/runs", headers={"Cookie": pair}).status_code == 200


def test_over_the_limit_the_oldest_session_of_the_same_token_ends(start_server, tmp_path):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--max-sessions-per-token", 3)
    other, _ = log_in(own, "viewer")
    pairs = [log_in(own, "both")[0] for _ in range(5)]
    statuses = [call(own, "GET", "/api/v1/runs", headers={"Cookie": pair}).status_code for pair in [other, *pairs]]
    assert statuses == [200, 401, 401, 200, 200, 200]


def test_two_servers_on_one_host_do_not_log_each_other_out(start_server, tmp_path):
    servers = [start_server("--auth-tokens-file", tokens_file(tmp_path)) for _ in range(2)]
    jar = {}
    for own in servers:
        pair, _ = log_in(own)
        assert pair.startswith(f"nnmonitor_session_{own.port}=")
        # Browsers store cookies by name and host, regardless of the port.
        jar.update([pair.split("=", 1)])
    for own in servers:
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
        assert call(own, "GET", "/api/v1/runs", headers={"Cookie": cookies}).status_code == 200


def test_of_several_cookies_of_the_same_name_each_is_tried(guarded):
    pair, _ = log_in(guarded)
    name = pair.split("=")[0]
    foreign = [f"{name}={'0' * 64}", f"{name}=short"]
    for cookies in ([*foreign, pair], [pair, *foreign], [foreign[0], pair, foreign[1]]):
        with RawConnection(guarded) as connection:
            joined = connection.ask(request("/api/v1/runs", headers=["Cookie: " + "; ".join(cookies)]))
            apart = connection.ask(request("/api/v1/runs", headers=[f"Cookie: {cookie}" for cookie in cookies]))
        assert (joined.status, apart.status) == (200, 200)


@pytest.mark.parametrize("secure", [False, True])
def test_cookie_with_the_own_origin_may_post_and_open_a_websocket(guarded, guarded_tls, secure):
    server = guarded_tls if secure else guarded
    pair, _ = log_in(server)
    run = run_id()
    with subscribe(server, headers={"Cookie": pair}, origin=server.url) as socket:
        assert receive(socket)["type"] == "initial_runs"
        body = payload(run)
        answer = call(server, "POST", INGEST, json=body, headers={"Cookie": pair, "Origin": server.url})
        assert answer.status_code == 202
        assert receive(socket, "new_metrics", run)["data"] == served(body)


def test_session_that_was_begun_before_is_not_slowed_by_wrong_tokens_of_its_address(start_server, tmp_path):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--auth-failure-limit", 3)
    pair, _ = log_in(own)
    browser = {"Cookie": pair, "Origin": own.url}
    assert [call(own, "GET", "/api/v1/runs", headers={"Authorization": "Bearer wrong"}).status_code
            for _ in range(4)] == [401] * 3 + [429]
    # From the same address: a valid token, a login and a session are not limited.
    assert call(own, "GET", "/api/v1/runs", "both").status_code == 200
    assert call(own, "POST", "/login", data={"token": TOKENS["both"]}).status_code == 303
    assert call(own, "GET", "/", headers=browser).status_code == 200
    body = payload(run_id())
    with subscribe(own, headers={"Cookie": pair}, origin=own.url) as socket:
        assert receive(socket)["type"] == "initial_runs"
        assert call(own, "POST", INGEST, json=body, headers=browser).status_code == 202
        assert receive(socket, "new_metrics")["data"] == served(body)


def test_bearer_with_a_foreign_origin_may_post(guarded):
    headers = {"Origin": "https://notebook.example"}
    answer = call(guarded, "POST", INGEST, "trainer", json=payload(run_id()), headers=headers)
    assert answer.status_code == 202


@pytest.mark.parametrize("origin, status", [
    ("https://evil.example", 403), ("null", 403), ("http://localhost:1", 403), ("https://localhost", 403),
    ("http://localhost", 101), (None, 101)])
@pytest.mark.parametrize("by", ["nothing", "bearer", "cookie"])
def test_every_upgrade_that_carries_an_origin_must_come_from_the_own_one(server, guarded, by, origin, status):
    headers = [f"Origin: {origin}"] if origin else []
    if by == "bearer":
        headers.append(f"Authorization: Bearer {TOKENS['viewer']}")
    elif by == "cookie":
        headers.append(f"Cookie: {log_in(guarded)[0]}")
        status = 403 if origin is None else status
    with RawWebSocket(server if by == "nothing" else guarded, headers) as socket:
        assert socket.answer.status == status


@pytest.mark.parametrize("origins, origin, status", [
    ("https://a.example", "https://a.example", 101), ("https://a.example", "https://b.example", 403),
    ("*", "https://b.example", 101), ("[]", "https://a.example", 403)])
def test_listed_origins_may_upgrade_without_a_session(start_server, origins, origin, status):
    own = start_server("--cors-origins", origins)
    with RawWebSocket(own, [f"Origin: {origin}"]) as socket:
        assert socket.answer.status == status
    run = run_id()
    answer = call(own, "POST", INGEST, json=payload(run), headers={"Origin": origin})
    assert answer.status_code == (202 if status == 101 else 403)
