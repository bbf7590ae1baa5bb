"""Posts payloads, whole or broken on purpose, and reads back what the server keeps."""

import copy
import http.client
import json
from urllib.parse import quote

import requests

PATH = "/api/v1/metrics/layerwise"
ABSENT = object()

# One session for all tests: connections are kept, and no proxy of the environment comes between.
session = requests.Session()
session.trust_env = False


class Raw(str):
    """JSON text that goes into a body as it is, valid or not: `Raw("1e999")`."""


def encode(value) -> str:
    """Compact JSON of a value that may contain `Raw`."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{encode(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value)


def changed(posted: dict, path, value) -> dict:
    """A copy of a payload with another value at a path, or without that member when the value is ABSENT."""
    copied = copy.deepcopy(posted)
    inner = copied
    for part in path[:-1]:
        inner = inner[part]
    if value is ABSENT:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copied


def access(server) -> dict:
    """The keyword arguments that `requests` needs for this server: token and certificate."""
    arguments = {"timeout": 30}
    if server.token:
        arguments["headers"] = {"Authorization": f"Bearer {server.token}"}
    if server.ca:
        arguments["verify"] = server.ca
    return arguments


def post(server, body, headers=None) -> requests.Response:
    """Posts a payload, JSON text or bytes; as JSON unless other headers are given."""
    if isinstance(body, dict):
        body = encode(body)
    if isinstance(body, str):
        body = body.encode()
    arguments = access(server)
    given = {"Content-Type": "application/json"} if headers is None else headers
    arguments["headers"] = {**arguments.get("headers", {}), **given}
    return session.post(server.url + PATH, data=body, **arguments)


def accept(server, posted, headers=None) -> dict:
    """Posts what must be accepted; returns the answer's JSON."""
    response = post(server, posted, headers)
    assert response.status_code == 202, f"{response.status_code} {response.text[:2000]}"
    answer = response.json()
    assert answer["status"] == "accepted"
    return answer


def get(server, path: str) -> requests.Response:
    return session.get(server.url + path, **access(server))


def run_path(run: str) -> str:
    return "/api/v1/runs/" + quote(run, safe="")


def kept_run(server, run: str) -> dict:
    """The run as the server gives it."""
    response = get(server, run_path(run))
    assert response.status_code == 200, response.text[:2000]
    return response.json()


def kept_steps(server, run: str) -> list:
    return kept_run(server, run)["steps"]


def rejected(response: requests.Response) -> list[dict]:
    """The errors of a 422, after checking what all of them have in common."""
    assert response.status_code == 422, f"{response.status_code} {response.text[:2000]}"
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    answer = response.json()
    assert list(answer) == ["detail"] and answer["detail"], answer
    for item in answer["detail"]:
        assert isinstance(item["msg"], str) and item["msg"].strip(), item
        assert "input" not in item, item
        assert item["type"] == "too_many_errors" or item["loc"][0] == "body", item
        assert all(type(part) in (str, int) for part in item["loc"]), item
    return answer["detail"]


def kinds(errors: list[dict]) -> list[tuple]:
    """Type and place of each error, without the leading "body"."""
    return [(item["type"], tuple(item["loc"][1:])) for item in errors]


def raw_get(server, target: str, method: str = "GET"):
    """Status and body for a target sent as it is, which `requests` would tidy up."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def assert_json(response, status: int = 200):
    assert response.status_code == status, response.text[:500]
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
