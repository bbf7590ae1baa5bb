"""Tokens and their scopes, when they are required, and their reload."""

import re
import signal

import pytest
from Support.clients.access import TOKENS, bearer, call, digest, led_to, tokens_file
from Support.clients.libraries import healthy, post, post_steps, receive, session, subscribe, wait_until
from Support.payloads import payload, run_id, served
from Support.wire.raw import INGEST, RawConnection, ingest, request
from Support.wire.raw_websocket import RawWebSocket

# Tokens and scopes


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"},
    {"Authorization": f"Basic {TOKENS['both']}"}, {"Authorization": TOKENS["both"]},
    {"Authorization": f"Bearer {TOKENS['both']}x"}, {"Authorization": f"Bearer {TOKENS['both'][:-1]}"},
    {"Authorization": f"Bearer {digest(TOKENS['both'])}"}, {"Cookie": "session=forged"}])
@pytest.mark.parametrize("method, path", [
    ("POST", INGEST), ("GET", "/api/v1/runs"), ("GET", "/api/v1/runs/a"), ("GET", "/api/v1/runs/a/latest"),
    ("GET", "/ws"), ("GET", "/api/v2/events")])
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
        (call(guarded, "GET", "/api/v2/events?run=nothing", name), may_read, 404),
        (call(guarded, "GET", "/metrics", name), may_read, 200),
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
    assert set(statuses[5:]) == {429}
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["detail"]["message"]
    assert healthy(own)


def test_right_token_is_never_refused_for_the_failures_of_its_address(start_server):
    own = start_server("--auth-failure-limit", 5, env={"NN_MONITOR_AUTH_TOKEN": "the-right-one"})
    with session(own, "wrong") as stale, session(own) as trainer:
        for _ in range(10):
            stale.get(own.url + "/api/v1/runs", timeout=20)
            assert post(trainer, own, payload(run_id())).status_code == 202
        assert stale.get(own.url + "/api/v1/runs", timeout=20).status_code == 429
    # Also for the form and the link: the right token logs in, the wrong one stays limited.
    for token, form, link in (("the-right-one", 303, 303), ("wrong", 429, 429)):
        answers = [call(own, "POST", "/login", data={"token": token}),
                   call(own, "GET", f"/?token={token}")]
        assert [answer.status_code for answer in answers] == [form, link]
        assert all(("Set-Cookie" in answer.headers) == (form == 303) for answer in answers)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_links_of_other_sites_neither_log_in_nor_count_as_failures(start_server, site):
    own = start_server("--auth-failure-limit", 5, env={"NN_MONITOR_AUTH_TOKEN": "the-right-one"})
    headers = {"Sec-Fetch-Site": site}
    for token in ["the-right-one"] + ["x"] * 20:
        answer = call(own, "GET", f"/?token={token}", headers=headers)
        assert answer.status_code == 303
        assert led_to(answer) == "/login?foreign"
        assert "Set-Cookie" not in answer.headers
    assert call(own, "GET", "/api/v1/runs", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("site", [None, "none", "same-origin"])
def test_links_of_the_user_and_of_own_pages_log_in(guarded, site):
    headers = {"Sec-Fetch-Site": site} if site else {}
    answer = call(guarded, "GET", f"/?token={TOKENS['viewer']}", headers=headers)
    assert led_to(answer) == "/"
    assert "Set-Cookie" in answer.headers


def test_plus_in_the_token_of_a_link_is_a_plus(start_server):
    own = start_server(env={"NN_MONITOR_AUTH_TOKEN": "a+token+with+plus+signs"})
    for text in ("a+token+with+plus+signs", "a%2Btoken%2Bwith+plus+signs"):
        answer = call(own, "GET", f"/?token={text}")
        assert led_to(answer) == "/"
        assert "Set-Cookie" in answer.headers


def test_short_token_gets_a_warning(start_server):
    short = start_server(env={"NN_MONITOR_AUTH_TOKEN": "x" * 21})
    assert "NN_MONITOR_AUTH_TOKEN has fewer than 22 characters" in short.wait_for_line("fewer than")
    assert "x" * 21 not in short.output
    long = start_server(env={"NN_MONITOR_AUTH_TOKEN": "x" * 22})
    assert long.stop() == 0
    assert "fewer than" not in long.output


def test_repeated_failures_of_the_login_form_are_slowed_too(start_server):
    own = start_server("--auth-failure-limit", 5, env={"NN_MONITOR_AUTH_TOKEN": "the-right-one"})
    statuses = [call(own, "POST", "/login", data={"token": f"guess-{index}"}).status_code for index in range(20)]
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429


def test_login_form_over_its_limit_is_413(start_server):
    own = start_server(env={"NN_MONITOR_AUTH_TOKEN": "the-right-one"})
    for size, status in ((16384, 401), (16385, 413)):
        answer = call(own, "POST", "/login", data=b"token=" + b"x" * (size - 6),
                      headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == status


def test_successes_are_not_slowed(start_server):
    own = start_server("--auth-failure-limit", 3, env={"NN_MONITOR_AUTH_TOKEN": "the-right-one"})
    with session(own) as client:
        assert {client.get(own.url + "/api/v1/runs", timeout=20).status_code for _ in range(40)} == {200}


@pytest.mark.parametrize("headers", [[], ["Authorization: Bearer wrong"]])
def test_stranger_is_refused_before_the_body_is_read(guarded, headers):
    with RawConnection(guarded) as socket:
        socket.send(ingest(b"", headers=[*headers, "Content-Length: 1000000"]))
        assert socket.read_response().status == 401


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
    # The token appears once per address in the banner, and never in the log.
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


# Names in `Host`

FOREIGN = ["monitor.example", "rebound.example:80", "192.0.2.1.example", "localhost.example"]


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_name_is_refused_on_an_open_loopback_server(server, host):
    answer = call(server, "GET", "/api/v1/runs", headers={"Host": host})
    assert answer.status_code == 421
    # The message names the refused host, the allowed hosts and the setting to change.
    message = answer.json()["detail"]["message"]
    assert all(part in message for part in (host.split(":")[0], "IP address", "localhost", "NN_MONITOR_AUTH_TOKEN"))
    with RawWebSocket(server, host=host) as socket:
        assert socket.answer.status == 421


@pytest.mark.parametrize("host", FOREIGN)
def test_every_name_is_answered_where_tokens_are_asked_for(guarded, host):
    assert call(guarded, "GET", "/health", headers={"Host": host}).status_code == 200
    assert call(guarded, "GET", "/api/v1/runs", "viewer", headers={"Host": host}).status_code == 200
    # The host name does not grant access.
    assert call(guarded, "GET", "/api/v1/runs", headers={"Host": host}).status_code == 401
    with RawWebSocket(guarded, [f"Authorization: Bearer {TOKENS['viewer']}"], host=host) as socket:
        assert socket.answer.status == 101


def test_every_name_is_answered_with_auth_off(start_server):
    own = start_server("--auth", "off")
    for host in FOREIGN:
        assert call(own, "GET", "/api/v1/runs", headers={"Host": host}).status_code == 200
        with RawWebSocket(own, host=host) as socket:
            assert socket.answer.status == 101


# Tokens file


def test_reload_takes_new_tokens_and_drops_old_ones(start_server, tmp_path):
    path = tokens_file(tmp_path, ["viewer", "trainer", "boss"])
    own = start_server("--auth-tokens-file", path, "--auth-failure-limit", 1000)
    with subscribe(own, headers=bearer("boss")) as socket:
        assert receive(socket)["type"] == "initial_runs"
        tokens_file(tmp_path, ["both", "trainer", "boss"])
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
