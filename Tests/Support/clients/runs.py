"""Requests about runs of the open wire."""

import json
from urllib.parse import quote

import requests

from .ingest import access, session


def path(run: str) -> str:
    return "/api/v2/runs/" + quote(run, safe="")


def send(server, method: str, where: str, body=None, headers=None) -> requests.Response:
    """Sends JSON text, bytes, or a value as JSON."""
    arguments = access(server)
    if body is not None:
        text = body if isinstance(body, (str, bytes)) else json.dumps(body, ensure_ascii=False)
        arguments["data"] = text.encode() if isinstance(text, str) else text
        arguments["headers"] = {**arguments.get("headers", {}), "Content-Type": "application/json"}
    if headers:
        arguments["headers"] = {**arguments.get("headers", {}), **headers}
    return session.request(method, server.url + where, **arguments)


def put(server, run: str, body, status: int = 200) -> dict:
    """Updates a run; returns the run."""
    response = send(server, "PUT", path(run), body)
    assert response.status_code == status, response.text[:2000]
    return response.json()


def read(server, run: str) -> dict:
    """The run with its layers."""
    response = send(server, "GET", path(run))
    assert response.status_code == 200, response.text[:2000]
    return response.json()


def errors(response: requests.Response) -> list[tuple]:
    """Type and place of each error of a 422."""
    assert response.status_code == 422, f"{response.status_code} {response.text[:2000]}"
    return [(item["type"], item["loc"]) for item in response.json()["detail"]]


def listing(server, **query) -> dict:
    """A part of the listing."""
    arguments = access(server)
    response = session.get(server.url + "/api/v2/runs", params=query, **arguments)
    assert response.status_code == 200, response.text[:2000]
    answer = response.json()
    assert list(answer) == ["runs", "next"]
    return answer
