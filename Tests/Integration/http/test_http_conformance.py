"""Sends each row of the HTTP cases (http_cases/) over plain HTTP, over TLS, and byte by byte over plain HTTP.

A row states the bytes to send, the expected statuses, and whether the connection stays usable or is closed. In addition
every error response must have the documented body, and the `Connection` field of every response must match the state of
the connection.
"""

import contextlib
import os
from types import SimpleNamespace

import pytest
from http_cases.bodies import chunks, expectations, lengths, transfer_codings
from http_cases.case import Case
from http_cases.connections import persistence, pipelines, upgrades
from http_cases.files import conditions, static_paths
from http_cases.heads import fields, head_sizes, hosts, percent_coding, targets, versions
from Support.payloads import payload
from Support.servers.server import Server
from Support.wire.raw import RawConnection, Response, ingest, request

THEMES = [chunks, conditions, expectations, fields, head_sizes, hosts, lengths, percent_coding, persistence, pipelines,
          static_paths, targets, transfer_codings, upgrades, versions]
# Rows with more bytes than this are not sent byte by byte.
MOST_SINGLE_BYTES = 3_000


def rows():
    for theme in THEMES:
        for case in theme.CASES:
            name = f"{theme.__name__.rpartition('.')[2]}-{case.name}"
            single = case.divisible and sum(map(len, case.sent)) <= MOST_SINGLE_BYTES
            for delivery in ("plain", "tls", "bytewise")[:3 if single else 2]:
                yield pytest.param(delivery, case, id=f"{name}-{delivery}")


ROWS = list(rows())

CODES = {400: "bad_request", 413: "payload_too_large", 414: "uri_too_long",
         417: "expectation_failed", 421: "misdirected_request", 426: "upgrade_required",
         431: "headers_too_large", 501: "not_implemented", 505: "version_not_supported"}
DETAILS = {404: "Not Found", 405: "Method Not Allowed"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of static files beside a file that must not be accessible."""
    outside = tmp_path_factory.mktemp("conformance")
    (outside / "secret.txt").write_text("the secret outside")
    folder = outside / "static"
    (folder / "css").mkdir(parents=True)
    for name in ("index.html", "login.html", "docs.html"):
        (folder / name).write_text(f"<!doctype html><title>{name}</title>")
    (folder / "openapi.json").write_text("{}")
    (folder / "css" / "base.css").write_text("body{}")
    (folder / ".hidden").write_text("the secret inside")
    (folder / "letters.txt").write_bytes(conditions.LETTERS)
    os.utime(folder / "letters.txt", (784_111_777, 784_111_777))
    (folder / "big.txt").write_bytes(conditions.BIG)
    return folder


@contextlib.contextmanager
def started(site, tmp_path_factory, *options):
    """An open server with one run, and the words to replace in rows."""
    with Server([*options, "--static-dir", site], None, tmp_path_factory.mktemp("server")) as server:
        yield SimpleNamespace(server=server, words=words_for(server))


def words_for(server) -> dict[bytes, bytes]:
    with RawConnection(server) as raw:
        tag = raw.ask(request("/static/letters.txt"))["etag"]
        assert raw.ask(ingest(payload("conformance"))).status == 202
    scheme = "https" if server.secure else "http"
    words = {"scheme": scheme, "SCHEME": scheme.upper(), "other": "http" if server.secure else "https",
             "port": "443" if server.secure else "80", "tag": tag, "bare": tag.strip('"')}
    return {f"{{{name}}}".encode(): word.encode() for name, word in words.items()}


@pytest.fixture(scope="module")
def plain(site, tmp_path_factory):
    with started(site, tmp_path_factory) as setting:
        yield setting


@pytest.fixture(scope="module")
def tls(site, tmp_path_factory):
    with started(site, tmp_path_factory, "--tls", "dev") as setting:
        yield setting


@pytest.mark.parametrize(("delivery", "case"), ROWS)
def test_row(request, delivery, case: Case):
    setting = request.getfixturevalue("tls" if delivery == "tls" else "plain")
    pieces = [filled(piece, setting.words) for piece in case.sent]
    with RawConnection(setting.server) as raw:
        answers = exchange(raw, pieces, case, 1 if delivery == "bytewise" else None)
        for position, answer in enumerate(answers):
            check_error(answer, is_head=position in case.heads)
        check_end(raw, answers[-1], case)
    if case.check:
        case.check(answers)


def filled(piece: bytes, words: dict[bytes, bytes]) -> bytes:
    for name, word in words.items():
        piece = piece.replace(name, word)
    return piece


def exchange(raw: RawConnection, pieces: list[bytes], case: Case, step: int | None) -> list[Response]:
    """Sends the pieces and reads one response between two of them, then reads the remaining responses of the row."""
    answers: list[Response] = []
    for piece in pieces[:-1]:
        send(raw, piece, step)
        answers.append(raw.read_response(len(answers) in case.heads))
    send(raw, pieces[-1], step)
    while len(answers) < len(case.statuses):
        answers.append(raw.read_response(len(answers) in case.heads))
    assert [answer.status for answer in answers] == list(case.statuses)
    return answers


def send(raw: RawConnection, data: bytes, step: int | None):
    """Sends all bytes at once, or `step` bytes at a time."""
    for start in range(0, len(data), step or len(data)):
        raw.send(data[start:start + (step or len(data))])


def check_error(answer: Response, is_head: bool):
    """Checks that error responses have the JSON body that API.md documents."""
    if answer.status < 400:
        return
    assert answer["content-type"].split(";")[0] == "application/json"
    assert answer["x-content-type-options"] == "nosniff"
    if is_head:
        return
    detail = answer.json()["detail"]
    if isinstance(detail, str):
        assert detail == DETAILS[answer.status]
    else:
        assert detail["error"] == CODES.get(answer.status, "not_found")
        assert detail["message"]


def check_end(raw: RawConnection, last: Response, case: Case):
    if case.upgrades:
        return
    assert ("close" in last["connection"].lower()) == (not case.kept)
    if case.kept:
        answer = raw.ask(request("/health", headers=["Connection: close"]))
        assert answer.status == 200
        assert answer.json()["status"] == "healthy"
    assert raw.ended(), f"more came: {raw.buffer[:200]!r}"


def test_every_row_has_a_name_of_its_own():
    names = [row.id for row in ROWS]
    assert len(names) == len(set(names)) >= 150
