"""DELETE of a run: required scope, the data that it removes, and the messages that subscribers receive."""

from urllib.parse import quote

import pytest
from Support.clients.access import call
from Support.clients.libraries import post_steps, receive, session, subscribe
from Support.payloads import payload, run_id, served


def delete(server, run: str):
    with session(server) as client:
        return client.delete(f"{server.url}/api/v1/runs/{quote(run, safe='')}")


def read(server, run: str):
    with session(server) as client:
        return client.get(f"{server.url}/api/v1/runs/{quote(run, safe='')}")


def test_a_deleted_run_is_gone_and_subscribers_are_told_in_order(either):
    run, other = run_id("deleted"), run_id("other")
    with subscribe(either) as watching, subscribe(either, compression=None) as plain, session(either) as client:
        # Steps posted before the listing is created are part of the listing.
        assert receive(watching)["type"] == receive(plain)["type"] == "initial_runs"
        before, beside = post_steps(client, either, run, range(3)), post_steps(client, either, other, range(1))
        answer = delete(either, run)
        assert (answer.status_code, answer.content) == (204, b"")
        assert read(either, run).status_code == 404
        listing = client.get(either.url + "/api/v1/runs").json()
        assert run not in listing and listing[other]["step_count"] == 1
        after = post_steps(client, either, run, range(3, 5))
        for socket in (watching, plain):
            for body in before:
                assert receive(socket, run=run)["data"] == served(body)
            assert receive(socket, run=other)["data"] == served(beside[0])
            assert receive(socket, run=run) == {"type": "run_deleted", "run_id": run, "reason": "deleted"}
            for body in after:
                assert receive(socket, run=run)["data"] == served(body)
        assert read(either, run).json()["steps"] == [served(body) for body in after]


def test_a_run_that_begins_again_is_a_new_one(server):
    run = run_id("again")
    with session(server) as client:
        post_steps(client, server, run, [7])
        first = read(server, run).json()["created_at"]
        assert delete(server, run).status_code == 204
        post_steps(client, server, run, [7])
    assert read(server, run).json()["created_at"] > first


def test_a_run_that_is_not_held_is_404_and_nobody_is_told(server):
    run, seen = run_id("never"), run_id("seen")
    with subscribe(server) as watching, session(server) as client:
        assert receive(watching)["type"] == "initial_runs"
        for _ in range(2):
            answer = delete(server, run)
            assert answer.status_code == 404
            assert answer.json() == {"detail": {"error": "not_found", "message": f"Run '{run}' not found"}}
        post_steps(client, server, seen, [0])
        heard = [receive(watching)]
        while heard[-1].get("run_id") != seen:
            heard.append(receive(watching))
    assert run not in [message.get("run_id") for message in heard]


def test_a_history_asked_for_after_the_deletion_is_not_found(server):
    run = run_id("history")
    with subscribe(server) as watching, session(server) as client:
        post_steps(client, server, run, [0])
        assert delete(server, run).status_code == 204
        watching.send('{"action":"subscribe_run","run_id":"%s"}' % run)
        assert receive(watching, kind="error")["message"] == f"Run '{run}' not found"


@pytest.mark.parametrize("name", ["a/b", "ü ?#", "50%"])
def test_any_run_id_can_be_deleted(server, name):
    run = run_id(name)
    with session(server) as client:
        post_steps(client, server, run, [0])
    assert delete(server, run).status_code == 204
    assert read(server, run).status_code == 404


@pytest.mark.parametrize("name, status", [("", 401), ("trainer", 403), ("viewer", 403), ("both", 403), ("boss", 204)])
def test_only_the_scope_admin_deletes(guarded, name, status):
    run = run_id()
    assert call(guarded, "POST", "/api/v1/metrics/layerwise", "boss", json=payload(run)).status_code == 202
    assert call(guarded, "DELETE", f"/api/v1/runs/{run}", name).status_code == status
    held = call(guarded, "GET", "/api/v1/runs", "boss").json()
    assert (run in held) == (status != 204)


def test_a_preflight_for_deleting_is_answered(start_server):
    own = start_server("--cors-origins", "https://elsewhere.example")
    answer = call(own, "OPTIONS", "/api/v1/runs/a", headers={
        "Origin": "https://elsewhere.example", "Access-Control-Request-Method": "DELETE"})
    assert answer.status_code == 204
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"].split(", ")
