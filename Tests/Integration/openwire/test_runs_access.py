"""Methods, content types and scopes of the routes for runs of the open wire, and what a run costs others."""

from Support.clients.access import call, digest
from Support.clients.ingest import accept
from Support.clients.libraries import receive, subscribe
from Support.clients.runs import listing, path, put, read, send
from Support.payloads import payload, run_id


def test_methods_and_content_types(server):
    run = run_id("methods")
    put(server, run, {}, 201)
    response = send(server, "POST", path(run))
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
    response = send(server, "PUT", path(run), "{}", {"Content-Type": "text/plain"})
    assert response.status_code == 415
    response = send(server, "HEAD", path(run))
    assert response.status_code == 200 and response.content == b""


def test_a_preflight_for_an_update_is_answered(start_server):
    own = start_server("--cors-origins", "https://example.org")
    response = send(own, "OPTIONS", path("r"), headers={
        "Origin": "https://example.org", "Access-Control-Request-Method": "PUT"})
    assert response.status_code == 204
    assert set(response.headers["Access-Control-Allow-Methods"].split(", ")) >= {"GET", "PUT", "DELETE"}


def test_scopes(guarded):
    run = run_id("scopes")
    where = path(run)

    def statuses(method, where, body=None):
        return [call(guarded, method, where, token, json=body).status_code
                for token in ("", "trainer", "viewer", "boss")]

    assert statuses("PUT", where, {"name": "n"}) == [401, 201, 403, 200]
    assert statuses("PUT", where, {}) == [401, 200, 403, 200]
    assert statuses("GET", where) == [401, 403, 200, 200]
    assert statuses("GET", "/api/v2/runs") == [401, 403, 200, 200]
    assert statuses("POST", where + "/alerts", {"title": "t"}) == [401, 202, 403, 202]
    assert statuses("DELETE", where) == [401, 403, 403, 204]


def test_an_admin_may_only_describe_a_run(start_server, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"manager:admin:{digest('manager-token-0123456789abcdef')}\n")
    tokens.chmod(0o600)
    own = start_server("--auth-tokens-file", tokens)
    own.token = "manager-token-0123456789abcdef"
    assert send(own, "PUT", path("r"), {"name": "n", "group": None, "tags": ["a"], "notes": "x"}).status_code == 201
    for body in ({}, {"project": "p"}, {"name": "n", "state": "finished"}, {"config": {}}, {"resume_from": 3}):
        response = send(own, "PUT", path("r"), body)
        assert response.status_code == 403
        assert response.json()["detail"]["error"] == "forbidden"
        assert "'manager' lacks the scope 'ingest'" in response.json()["detail"]["message"]


def test_an_update_that_begins_a_run_evicts_the_one_updated_longest_ago(start_server):
    own = start_server("--max-runs", 2)
    accept(own, payload("first", 1))
    put(own, "second", {}, 201)
    put(own, "first", {})
    with subscribe(own) as watching:
        assert receive(watching)["type"] == "initial_runs"
        put(own, "third", {}, 201)
        assert receive(watching) == {"type": "run_deleted", "run_id": "second", "reason": "evicted"}
    assert [run["run_id"] for run in listing(own)["runs"]] == ["third", "first"]
    assert own.stop() == 0
    (line,) = [line for line in own.output.splitlines() if "a run was evicted" in line]
    assert "run_id=second" in line and "max_runs=2" in line


def test_texts_count_against_the_limit_of_memory(start_server):
    own = start_server("--max-memory", 1_000_000)
    accept(own, payload("old", 1))
    for step in range(100):
        accept(own, payload("run", step))
    for number in range(20):
        assert send(own, "POST", path("run") + "/alerts", {"title": "t", "text": "x" * 60_000}).status_code == 202
    assert [run["run_id"] for run in listing(own)["runs"]] == ["run"]
    whole = read(own, "run")
    assert whole["step_count"] == 1 and whole["last_step"] == 99
    assert len(whole["events"]) < 20
    assert own.stop() == 0
    assert [line for line in own.output.splitlines() if "exceeded the memory limit" in line and "run_id=run" in line]
