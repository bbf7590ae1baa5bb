"""Runs and steps as the server returns them, compared byte for byte and with several clients."""

import json
import ssl

import aiohttp
import pytest
from yarl import URL

from Support.clients.ingest import accept, access, assert_json, get, raw_get, run_path
from Support.clients.libraries import run_async
from Support.payloads import payload, run_id, served
from Support.servers import processes

RUNS = "/api/v1/runs"


# Runs

def test_a_server_without_runs_lists_none(start_server):
    response = get(start_server(), RUNS)
    assert_json(response)
    assert response.text == "{}"


def test_runs_are_listed_in_order_of_creation(start_server):
    server = start_server()
    created = ["zebra", "apple", "10", "9", "mango", "é/x"]
    for run in created + ["apple", "zebra"]:
        accept(server, payload(run, 3))
    accept(server, payload("10", 7))
    response = get(server, RUNS)
    assert_json(response)
    runs = response.json()
    assert list(runs) == created
    for item in runs.values():
        assert list(item) == ["created_at", "last_update", "step_count", "latest_step", "last_seq"]
    assert [(item["step_count"], item["latest_step"], item["last_seq"]) for item in runs.values()] == [
        (1, 3, 2), (1, 3, 2), (2, 7, 2), (1, 3, 1), (1, 3, 1), (1, 3, 1)]


def test_a_run_has_its_times_and_its_steps_ascending(server):
    run = run_id("whole")
    posted = [payload(run, step) for step in (4, 2, 8)]
    for item in posted:
        accept(server, item)
    response = get(server, run_path(run))
    assert_json(response)
    assert list(response.json()) == ["created_at", "last_update", "steps", "last_seq"]
    assert response.json()["last_seq"] == 3
    assert response.json()["steps"] == [served(posted[index]) for index in (1, 0, 2)]
    assert response.json()["created_at"] == get(server, RUNS).json()[run]["created_at"]


def test_latest_is_the_step_with_the_highest_number(server):
    run = run_id("latest")
    for step in (4, 9, 2):
        accept(server, payload(run, step))
    response = get(server, run_path(run) + "/latest")
    assert_json(response)
    assert response.json() == served(payload(run, 9))


AWKWARD = [
    "a/b", "/", "a b", " ", "日本/é😀", "it's \"quoted\"", "100%", "%2F", "a%2Fb%zz", "a+b", "?x=1#f",
    ";,:@&=$!*()", "latest", "a/latest", "back\\slash", "<b>&amp;</b>", "a//b", "trailing/", "\u00a0", "~-._",
    "health", "{run_id}",
]


@pytest.mark.parametrize("run", AWKWARD)
def test_a_run_id_of_any_characters_can_be_read(server, run):
    run += "" if run.startswith("%") or run in ("/", " ", "latest") else run_id("")
    posted = payload(run, layers=1)
    assert accept(server, posted)["run_id"] == run
    assert get(server, run_path(run)).json()["steps"] == [served(posted)]
    assert get(server, run_path(run) + "/latest").json() == served(posted)
    assert run in get(server, RUNS).json()


def test_run_ids_of_dots_and_small_hexadecimals_can_be_read(server):
    for run, path in [("...", "%2E%2E%2e"), (".x", "%2ex"), ("x/y", "x%2fy"), ("../..", "%2E%2E%2f%2E%2E")]:
        accept(server, payload(run, layers=1))
        status, body = raw_get(server, f"{RUNS}/{path}")
        assert status == 200 and json.loads(body)["steps"] == [served(payload(run, layers=1))]


@pytest.mark.parametrize("run", ["none", "a/b", "it's \"quoted\"", "日本", "100%", "%2F", "a b\\"])
def test_an_unknown_run_is_not_found_by_its_name(server, run):
    run += "-unknown"
    response = get(server, run_path(run))
    assert_json(response, 404)
    assert response.json() == {"detail": {"error": "not_found", "message": f"Run '{run}' not found"}}
    response = get(server, run_path(run) + "/latest")
    assert_json(response, 404)
    assert response.json() == {"detail": {"error": "not_found", "message": f"No data for run '{run}'"}}


def halves(value):
    """Replaces every float with one that has a unique shortest representation, so that bytes can be compared."""
    if isinstance(value, dict):
        return {key: halves(item) for key, item in value.items()}
    if isinstance(value, list):
        return [halves(item) for item in value]
    return 12.5 if isinstance(value, float) else value


FEATURES = '{"activation_std":12.5,"activation_mean":12.5,"activation_shape":[32,%d],"cross_layer_std_ratio":%s}'
LAYER = (
    '{"layer_id":"%s","layer_type":"Linear","depth_index":%d,"intermediate_features":' + FEATURES
    + ',"gradient_flow":{"gradient_l2_norm":12.5,"gradient_std":12.5,"gradient_max_abs":12.5},'
    '"parameter_statistics":{"weight":{"std":12.5,"mean":12.5,"spectral_norm":12.5,"frobenius_norm":12.5},"bias":%s}}'
)


def test_a_step_is_compact_utf8_json_with_its_keys_in_order(server):
    run = run_id("bytes")
    posted = halves(payload(run, 5, layers=2))
    posted["layer_statistics"][0]["layer_id"] = "é.\\\"x"
    del posted["layer_statistics"][1]["parameter_statistics"]["bias"]
    posted["metadata"]["layer_groups"] = {"z": ["b.c"], "a": []}
    posted["cross_layer_analysis"]["gradient_norm_ratio"] = {"z": 12.5, "a": 0.5}
    # Posted in reverse order: the response has the documented order.
    accept(server, {key: posted[key] for key in reversed(posted)})
    expected = (
        '{"step":5,"timestamp":12.5,"batch_size":32,"layers":['
        + LAYER % ('é/\\\\\\"x', 0, 64, "null", '{"std":12.5,"mean_abs":12.5}') + ","
        + LAYER % ("block1/fc", 1, 65, "12.5", "null")
        + '],"cross_layer":{"feature_std_gradient":12.5,"gradient_norm_ratio":{"z":12.5,"a":0.5}},'
        '"layer_groups":{"z":["b/c"],"a":[]}}'
    )
    assert get(server, run_path(run) + "/latest").content.decode() == expected
    whole = get(server, run_path(run)).content.decode()
    assert whole.endswith(f'"steps":[{expected}],"last_seq":1}}') and whole.startswith('{"created_at":"')


# Several clients, plain and secure

def by_requests(server, path: str) -> str:
    return get(server, path).text


def by_curl(server, path: str) -> str:
    command = ["curl", "--silent", "--show-error", "--fail", "--compressed", "--noproxy", "*", server.url + path]
    command += ["--cacert", server.ca] if server.ca else []
    command += ["--header", f"Authorization: Bearer {server.token}"] if server.token else []
    return processes.run(command, capture_output=True, check=True, timeout=30).stdout.decode()


def by_aiohttp(server, path: str) -> str:
    async def read():
        secure = ssl.create_default_context(cafile=server.ca) if server.ca else False
        headers = access(server).get("headers", {})
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(30)) as client:
            # encoded=True keeps the client from decoding the %2F of a run id
            async with client.get(URL(server.url + path, encoded=True), ssl=secure) as response:
                assert response.status == 200
                return await response.text()

    return run_async(read())


@pytest.mark.parametrize("where", ["server", "secure_server"])
def test_curl_requests_and_aiohttp_read_the_same(request, where):
    chosen = request.getfixturevalue(where)
    run = run_id("clients/é")
    posted = [payload(run, step, layers=30) for step in range(5)]
    for item in posted:
        accept(chosen, item)
    for path in (run_path(run), run_path(run) + "/latest", RUNS, "/openapi.json"):
        texts = [read(chosen, path) for read in (by_requests, by_curl, by_aiohttp)]
        assert texts[0] == texts[1] == texts[2]
    assert json.loads(by_curl(chosen, run_path(run)))["steps"] == [served(item) for item in posted]
