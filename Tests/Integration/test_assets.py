"""The dashboard's files over HTTP: types, validators, ranges, and no way out of their folder."""

import gzip

import pytest
from support.raw import RawConnection, request

CSS = "/static/css/base.css"


def test_static_file_is_served_with_its_type(raw):
    for path, kind in [(CSS, "text/css"), ("/static/js/main.js", "text/javascript"), ("/static/favicon.svg",
        "image/svg+xml")]:
        answer = raw.ask(request(path))
        assert answer.status == 200
        assert answer["content-type"].startswith(kind)
        assert answer["etag"]


def test_known_etag_is_304_without_a_body(raw):
    etag = raw.ask(request(CSS))["etag"]
    for value in (etag, f'"other", {etag}', "*", f"W/{etag.removeprefix('W/')}"):
        answer = raw.ask(request(CSS, headers=[f"If-None-Match: {value}"]))
        assert answer.status == 304
        assert answer["etag"].removeprefix("W/") == etag.removeprefix("W/")
    assert raw.ask(request(CSS, headers=['If-None-Match: "other"'])).status == 200


def test_gzip_and_plain_files_do_not_share_a_strong_etag(raw):
    plain = raw.ask(request(CSS))
    packed = raw.ask(request(CSS, headers=["Accept-Encoding: gzip"]))
    assert "accept-encoding" in packed["vary"].lower()
    if packed["content-encoding"] == "gzip":
        assert gzip.decompress(packed.body) == plain.body
        assert packed["etag"] != plain["etag"] or plain["etag"].startswith("W/")


@pytest.mark.parametrize("spec, cut", [
    ("bytes=0-9", slice(0, 10)), ("bytes=10-", slice(10, None)), ("bytes=-5", slice(-5, None)), ("bytes=0-999999999",
    slice(None))])
def test_range_of_a_file(raw, spec, cut):
    whole = raw.ask(request(CSS)).body
    answer = raw.ask(request(CSS, headers=[f"Range: {spec}"]))
    # A server may ignore Range (RFC 9110, 14.2); what it must not do is answer it wrongly.
    assert answer.status in (200, 206)
    assert answer.body == (whole[cut] if answer.status == 206 else whole)
    if answer.status == 206:
        start = range(len(whole))[cut].start
        assert answer["content-range"] == f"bytes {start}-{start + len(answer.body) - 1}/{len(whole)}"


@pytest.mark.parametrize("spec", ["bytes=999999999-", "bytes=9-2", "lines=1-2", "bytes=-0", "bytes=a-b",
    "bytes=" + "0-1," * 500])
def test_senseless_range_does_no_harm(raw, spec):
    whole = raw.ask(request(CSS)).body
    answer = raw.ask(request(CSS, headers=[f"Range: {spec}"]))
    assert answer.status in (200, 206, 400, 416)
    assert len(answer.body) <= len(whole) + 1000
    assert raw.ask(request()).status == 200


@pytest.mark.parametrize("path", [
    "/static/../Package.swift", "/static/%2e%2e/Package.swift", "/static/..%2fPackage.swift",
    "/static/%2e%2e%2fPackage.swift",
    "/static/%252e%252e%252fPackage.swift", "/static/..%5cPackage.swift", "/static/..\\Package.swift",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd", "/static/../../../../../../../../etc/passwd", "/static/css/../../Package.swift",
    "/static/css/..%2f..%2fPackage.swift", "/static/index.html%00.css", "/static/%00", "/static/..%00/Package.swift",
    "/static/....//Package.swift", "/static/%c0%ae%c0%ae/Package.swift", "/static/.", "/static/..", "/static/%2e",
    "/static/css", "/static/css/", "/static/", "/../Package.swift", "/%2e%2e/Package.swift", "/static/.git/config",
    "/static/;/../../Package.swift", "/static/%ff%fe", "/static/" + "../" * 100 + "etc/passwd"])
def test_path_never_leaves_the_folder(raw, path):
    answer = raw.ask(request(path))
    assert answer.status in (307, 400, 404), answer.body[:200]
    for secret in (b"swift-tools-version", b"root:", b"[core]"):
        assert secret not in answer.body


def test_link_out_of_the_folder_is_not_followed(start_server, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    for name in ("index.html", "login.html", "docs.html"):
        (folder / name).write_text("<!doctype html><title>x</title>")
    (tmp_path / "secret.txt").write_text("the secret outside")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "inside.txt").write_text("inside")
    # Refusing to start over such a folder is as good as not serving the link.
    try:
        own = start_server("--static-dir", folder)
    except AssertionError as error:
        assert "link.txt" in str(error)
        assert "secret" not in str(error).replace("secret.txt", "")
        return
    with RawConnection(own) as raw:
        assert b"secret" not in raw.ask(request("/static/link.txt")).body
        assert raw.ask(request("/static/inside.txt")).status == 200
