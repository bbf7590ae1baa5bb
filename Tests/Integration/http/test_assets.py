"""The dashboard's files over HTTP: content types, entity tags, and paths that must not leave the folder.

Conditional requests and further paths are rows of `http_cases`.
"""

import gzip
import signal

import pytest
from Support.clients.libraries import wait_until
from Support.wire.raw import RawConnection, request

CSS = "/static/css/base.css"


def test_static_file_is_served_with_its_type(raw):
    for path, kind in [(CSS, "text/css"), ("/static/js/main.js", "text/javascript"), ("/static/favicon.svg",
        "image/svg+xml")]:
        answer = raw.ask(request(path))
        assert answer.status == 200
        assert answer["content-type"].startswith(kind)
        assert answer["etag"]


def test_gzip_and_plain_files_do_not_share_a_strong_etag(raw):
    plain = raw.ask(request(CSS))
    packed = raw.ask(request(CSS, headers=["Accept-Encoding: gzip"]))
    assert "accept-encoding" in packed["vary"].lower()
    if packed["content-encoding"] == "gzip":
        assert gzip.decompress(packed.body) == plain.body
        assert packed["etag"] != plain["etag"] or plain["etag"].startswith("W/")


@pytest.fixture
def site(tmp_path):
    """A folder of static files. Files beside it must not be accessible."""
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    for name in ("index.html", "login.html", "docs.html", "sub/inside.txt"):
        (folder / name).write_text("<!doctype html><title>x</title>")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("the secret outside")
    return folder


@pytest.mark.parametrize(("link", "target"), [
    ("link.txt", "../outside/secret.txt"), ("sub/link.txt", "../../outside/secret.txt"), ("folder", "../outside"),
    ("link.txt", "/etc/hostname"), ("up", ".."), ("link.txt", "../site-beside.txt")])
def test_link_out_of_the_folder_stops_the_start(start_server, site, link, target):
    (site.parent / "site-beside.txt").write_text("the secret beside")
    (site / link).symlink_to(target)
    with pytest.raises(AssertionError) as stopped:
        start_server("--static-dir", site)
    assert f"'{link}' is a link that leaves the folder" in str(stopped.value)
    assert "the secret" not in str(stopped.value)


def test_link_within_the_folder_is_followed_and_a_link_to_its_parent_ends(start_server, site):
    (site / "link.txt").symlink_to("sub/inside.txt")
    (site / "sub" / "loop").symlink_to(".")
    with RawConnection(start_server("--static-dir", site)) as raw:
        assert raw.ask(request("/static/link.txt")).status == 200
        assert raw.ask(request("/static/sub/inside.txt")).status == 200
        assert raw.ask(request("/static/sub/loop/inside.txt")).status == 404


def test_link_that_is_made_later_is_not_served(start_server, site):
    own = start_server("--static-dir", site)
    (site / "later.txt").symlink_to("../outside/secret.txt")
    (site / "sub" / "inside.txt").unlink()
    (site / "sub" / "inside.txt").symlink_to("../../outside/secret.txt")
    with RawConnection(own) as raw:
        assert raw.ask(request("/static/later.txt")).status == 404
        assert b"the secret" not in raw.ask(request("/static/sub/inside.txt")).body


def test_sighup_takes_new_static_files(start_server, site):
    own = start_server("--static-dir", site)
    with RawConnection(own) as raw:
        before = raw.ask(request("/static/sub/inside.txt"))
        (site / "sub" / "inside.txt").write_text("changed")
        (site / "added.txt").write_text("added")
        (site / "docs.html").write_text("<!doctype html><title>new</title>")
        (site / "sub" / "gone.txt").write_text("for one reload only")
        # Files are served from memory, so changes on disk are not visible before a reload.
        assert raw.ask(request("/static/sub/inside.txt")).body == before.body
        assert raw.ask(request("/static/added.txt")).status == 404
        own.signal(signal.SIGHUP)
        wait_until(lambda: raw.ask(request("/static/added.txt")).status == 200)
        after = raw.ask(request("/static/sub/inside.txt"))
        assert (after.body, after["etag"] != before["etag"]) == (b"changed", True)
        assert raw.ask(request("/docs")).body == (site / "docs.html").read_bytes()
        assert raw.ask(request("/static/sub/gone.txt")).status == 200
        (site / "sub" / "gone.txt").unlink()
        own.signal(signal.SIGHUP)
        wait_until(lambda: raw.ask(request("/static/sub/gone.txt")).status == 404)


@pytest.mark.parametrize("spoil", ["a link that leaves", "no folder"])
def test_sighup_keeps_the_static_files_that_it_has_when_the_new_ones_cannot_be_used(start_server, site, spoil):
    own = start_server("--static-dir", site)
    (site / "added.txt").write_text("added")
    if spoil == "a link that leaves":
        (site / "link.txt").symlink_to("../outside/secret.txt")
    else:
        site.rename(site.with_name("elsewhere"))
    own.signal(signal.SIGHUP)
    assert " error " in own.wait_for_line("not reloaded.*static files")
    with RawConnection(own) as raw:
        assert raw.ask(request("/")).body == b"<!doctype html><title>x</title>"
        assert raw.ask(request("/static/sub/inside.txt")).status == 200
        for path in ("/static/added.txt", "/static/link.txt"):
            assert raw.ask(request(path)).status == 404
