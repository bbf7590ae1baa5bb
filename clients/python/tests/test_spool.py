"""Files of the spool: permissions, torn lines, segments, the bound."""

import errno
import json
import os
import stat

import pytest

import nnmonitor as nnm
from nnmonitor.cli import main
from nnmonitor.spooling import segments, spool
from nnmonitor.spooling.joining import Joiner, Position
from nnmonitor.spooling.thinning import Bound, thin


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def kept_steps(directory):
    """Steps that a spool would still send."""
    reader, joiner, at, steps = segments.SpoolReader(directory), Joiner(), None, []
    at = reader.first()
    while True:
        records, after = reader.read(at)
        if not records and after == at:
            break
        at = after
        for record, start, end in records:
            steps += [event.body["step"] for event in joiner.add(record, start, end) if event.kind == "step"]
    return steps + [event.body["step"] for event in joiner.finish()]


@pytest.fixture
def offline(monkeypatch):
    return nnm.init(mode="offline", id="r", spool_bytes=1_000_000)


def test_files_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        run = nnm.init(mode="offline")
        run.log({"loss": 1.0})
        run.finish()
    finally:
        os.umask(before)
    assert mode(tmp_path / "spools") == 0o700 and mode(run.directory) == 0o700
    assert {mode(path) for path in run.directory.iterdir()} == {0o600}


def test_place_of_spools_is_found_where_the_home_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.delenv("NN_MONITOR_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert spool.default_root() == tmp_path / "state" / "nnmonitor"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(spool.tempfile, "tempdir", str(tmp_path))
    root = spool.default_root()
    assert root == tmp_path / f"nnmonitor-{os.getuid()}" and mode(root) == 0o700
    root.rename(tmp_path / "elsewhere")
    root.symlink_to(tmp_path / "elsewhere")  # As another user could, to receive what is written there.
    other = spool.default_root()
    assert other != root and other.parent == tmp_path and mode(other) == 0o700


def test_record_is_in_the_file_when_log_returns(offline):
    for step in range(3):
        offline.log({"loss": 1.5}, step=step)
        last = (offline.directory / "00000001.jsonl").read_bytes().splitlines()[-1]
        assert json.loads(last)["step"] == step


def test_offline_run_is_sent_by_sync(front, offline, capsys):
    for step in range(300):
        offline.log({"loss": 1.0}, step=step)
    nnm.alert("offline")
    offline.finish()
    assert main(["sync", "--url", front.url, str(offline.directory)]) == 0
    assert "300 steps delivered" in capsys.readouterr().out
    assert sorted(front.steps("r")) == list(range(300))
    assert front.run("r")["state"] == "finished"
    assert not offline.directory.exists()


def test_sync_that_is_refused_says_why_and_keeps_the_spool(front, offline, capsys):
    offline.log({"loss": 1.0}, step=0)
    offline.finish()
    front.fault(1, status=403, body={"detail": {"error": "forbidden", "message": "scope"}})
    assert main(["sync", "--url", front.url, str(offline.directory)]) == 1
    assert "scope ingest" in capsys.readouterr().out
    assert main(["sync", "--url", front.url, str(offline.directory)]) == 0


def test_sync_goes_on_where_the_process_stopped(front, until):
    front.fault(1, status=503, method="POST")
    run = nnm.init(url=front.url, exit_timeout=0, id="r")
    for step in range(10):
        run.log({"loss": 1.0}, step=step)
    until(lambda: 8 in front.steps("r"))
    front.down()
    run.log({"loss": 1.0}, step=10)
    run.finish()
    until(lambda: not run._outlet.sender.alive)
    front.up()
    front.requests.clear()
    assert main(["sync"]) == 0
    assert sorted(front.steps("r")) == list(range(11))
    sent = [request.body.count(b"\n") for request in front.requests if request.path.endswith("/steps")]
    assert sum(sent) <= 3  # The last step that was sent may be sent again, whole; not all of them.


def test_torn_and_corrupt_lines_are_skipped(front, offline):
    for step in range(3):
        offline.log({"loss": 1.0}, step=step)
    offline.finish()
    with open(offline.directory / "00000001.jsonl", "ab") as file:
        file.write(b'{"kind":"step","st\n\xff\xfe\n[1]\n{"kind":"later"}\n{"kind":"step"}\n{"kind":"put","put":3}\n{"kind":"step","step":9')
    assert main(["sync", "--url", front.url, str(offline.directory)]) == 0
    assert sorted(front.steps("r")) == [0, 1, 2]


def test_write_that_was_cut_short_is_taken_back_and_made_later(front, offline, monkeypatch, log_lines):
    """A disk that is full for a while: half a line, then nothing, then room again. Order and every record stay."""
    write, room = os.write, [100.0]

    def cut(descriptor, data):
        if b'"kind":"step"' not in data:
            return write(descriptor, data)
        if room[0] < 0.5:
            raise OSError(errno.ENOSPC, "No space left on device")
        if room[0] < 1:
            room[0] = 0.0
            return write(descriptor, data[: len(data) // 2])
        return write(descriptor, data)

    monkeypatch.setattr(segments.os, "write", cut)
    for step in range(30):
        room[0] = {10: 0.7, 20: 100.0}.get(step, room[0])
        offline.log({"loss": step}, step=step)
    monkeypatch.undo()
    offline.finish()
    assert len(log_lines("is the disk full?")) == 1
    assert kept_steps(offline.directory) == list(range(30))


def test_segments_join_without_a_seam(front, offline):
    for step in range(2_000):
        offline.log({f"name{place}": step * 1.1 for place in range(10)}, step=step)
    assert len(segments.segments(offline.directory)) > 3
    offline.finish()
    assert main(["sync", "--url", front.url, str(offline.directory)]) == 0
    assert sorted(front.steps("r")) == list(range(2_000))


def test_spool_at_its_bound_is_thinned_and_not_cut(front, until, log_lines):
    front.down()
    run = nnm.init(url=front.url, id="r", spool_bytes=1_000_000, project="p")
    for step in range(20_000):
        run.log({"a": step + 0.5, "b": step + 0.25, "c": step + 0.125}, step=step)
        if step % 500 == 499:
            until(lambda: sum(path.stat().st_size for path in list(run.directory.glob("*.jsonl"))) < 1_300_000)
    front.up()
    run.finish()
    arrived = sorted(front.steps("r"))
    assert arrived[0] == 0 and arrived[-1] == 19_999
    gaps = [later - earlier for earlier, later in zip(arrived, arrived[1:])]
    assert 4_000 < len(arrived) < 20_000 and max(gaps) <= 32
    assert log_lines("dropped to keep the spool within its bound")
    assert front.run("r")["project"] == "p"


def test_sent_segments_go_first(tmp_path):
    directory = tmp_path / "one"
    directory.mkdir()
    for number in range(1, 6):
        lines = b"".join(
            b'{"kind":"step","step":%d,"scalars":{}}\n' % step for step in range(number * 100, number * 100 + 100))
        segments.segment_path(directory, number).write_bytes(lines)
    size = len(lines)
    bound = Bound(directory, 3 * size)
    bound.enforce(reading=Position(4, 10), sent=Position(4, 0))
    assert list(segments.segments(directory)) == [3, 4, 5] and bound.thinned == 0


def test_thinning_keeps_what_is_no_step_and_the_reports_of_a_step_with_it(tmp_path):
    path = tmp_path / "00000001.jsonl"
    records = [{"kind": "base", "put": {}}]
    for step in range(9):
        records.append({"kind": "report", "watcher": 0, "counter": step, "layers": [f"layer{step}"], "metrics": {}})
        records.append({"kind": "step", "step": step, "scalars": {}, "claims": [0]})
        records.append({"kind": "step", "step": step, "scalars": {"more": step}})
    records.append({"kind": "alert", "alert": {"title": "t"}})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert thin(path) == 4
    left = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["step"] for record in left if record["kind"] == "step"] == [0, 0, 2, 2, 4, 4, 6, 6, 8, 8]
    assert [record["layers"] for record in left if record["kind"] == "report"] == [
        [f"layer{step}"] for step in (0, 2, 4, 6, 8)]
    assert left[0]["kind"] == "base" and left[-1]["kind"] == "alert"


def test_lock_belongs_to_one_holder(tmp_path):
    first = spool.Lock.take(tmp_path)
    assert first is not None and spool.Lock.take(tmp_path) is None
    first.release()
    assert spool.Lock.take(tmp_path) is not None
