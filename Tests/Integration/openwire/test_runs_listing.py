"""The listing of runs of the open wire."""

import pytest
from Support.clients.ingest import accept
from Support.clients.runs import errors, listing, put, read, send
from Support.payloads import payload, run_id


def ids(server, **query) -> list[str]:
    return [run["run_id"] for run in listing(server, **query)["runs"]]


def test_the_last_updated_run_comes_first(server):
    project = run_id("project")
    runs = [run_id("order") for _ in range(3)]
    for run in runs:
        put(server, run, {"project": project, "notes": "long", "config": {"a": 1}}, 201)
    accept(server, payload(runs[0], 1))
    answer = listing(server, project=project)
    assert [run["run_id"] for run in answer["runs"]] == [runs[0], runs[2], runs[1]]
    assert answer["next"] is None
    left_out = {"config", "notes", "events", "layers"}
    whole = read(server, runs[1])
    assert answer["runs"][2] == {key: value for key, value in whole.items() if key not in left_out}


def test_filters_compare_bytes(server):
    project, group, tag = run_id("P"), run_id("g"), run_id("t")
    first, second, third, fourth = (run_id("filtered") for _ in range(4))
    put(server, first, {"project": project, "group": group, "tags": [tag, "x"]}, 201)
    put(server, second, {"project": project, "tags": ["x"], "state": "finished"}, 201)
    put(server, third, {"project": project + "2", "group": group, "tags": [tag]}, 201)
    put(server, fourth, {"project": project.lower(), "state": "failed"}, 201)
    assert ids(server, project=project) == [second, first]
    assert ids(server, project=project.lower()) == [fourth]
    assert ids(server, group=group) == [third, first]
    assert ids(server, tag=tag) == [third, first]
    assert ids(server, tag=[tag, "x"]) == [first]
    assert ids(server, project=project, group=group, tag=tag) == [first]
    assert ids(server, project=project, state="running") == [first]
    assert ids(server, project=project, state="finished") == [second]
    assert ids(server, project=project.lower(), state="failed") == [fourth]
    assert ids(server, project=project, group="nowhere") == []
    assert ids(server, tag=tag[:-1]) == []


def test_a_search_ignores_case(server):
    key = run_id("key").replace("-", "zq")
    by_id, by_name, by_tag = run_id(key.upper()), run_id(), run_id()
    put(server, by_id, {}, 201)
    put(server, by_name, {"name": f"My {key} Run É"}, 201)
    put(server, by_tag, {"tags": [f"x{key}y"], "project": key}, 201)
    assert ids(server, q=key) == [by_tag, by_name, by_id]
    assert ids(server, q=f"MY {key} run é") == [by_name]
    assert ids(server, q=key + "!") == []


def test_pages_follow_each_other(server):
    project = run_id("pages")
    runs = [run_id("page") for _ in range(7)]
    for run in runs:
        put(server, run, {"project": project}, 201)
    found, cursor = [], None
    for size in (3, 3, 1):
        query = {"project": project, "limit": 3} | ({"cursor": cursor} if cursor else {})
        answer = listing(server, **query)
        assert len(answer["runs"]) == size
        found += [run["run_id"] for run in answer["runs"]]
        cursor = answer["next"]
    assert found == runs[::-1] and cursor is None


def test_a_page_that_is_just_full_is_the_last_one(server):
    project = run_id("full")
    for _ in range(3):
        put(server, run_id("just"), {"project": project}, 201)
    assert listing(server, project=project, limit=3)["next"] is None
    assert listing(server, project=project, limit=3, q="just")["next"] is None
    assert listing(server, project=project, limit=2, q="just")["next"] is not None


def test_the_cursor_is_a_position(server):
    project = run_id("position")
    runs = [run_id("moving") for _ in range(4)]
    for run in runs:
        put(server, run, {"project": project}, 201)
    first = listing(server, project=project, limit=2)
    put(server, runs[0], {})
    send(server, "DELETE", "/api/v2/runs/" + runs[2])
    assert ids(server, project=project, cursor=first["next"]) == [runs[1]]


@pytest.mark.parametrize(("query", "kind"), [
    ("limit=0", "greater_than_equal"), ("limit=1001", "less_than_equal"), ("limit=x", "int_parsing"),
    ("limit=1.5", "int_parsing"), ("limit=", "int_parsing"), ("limit=0x5", "int_parsing"), ("limit=1e2", "int_parsing"),
    ("state=crashed", "enum"), ("cursor=x", "int_parsing"),
])
def test_a_bad_parameter_is_refused(server, query, kind):
    name = query.split("=")[0]
    assert errors(send(server, "GET", "/api/v2/runs?" + query)) == [(kind, ["query", name])]


def test_a_run_of_the_first_wire_is_listed(server):
    run = run_id("v1")
    accept(server, payload(run, 5))
    (entry,) = listing(server, q=run)["runs"]
    assert (entry["run_id"], entry["step_count"], entry["last_step"], entry["last_seq"]) == (run, 1, 5, 1)
