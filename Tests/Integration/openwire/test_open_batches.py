"""POST /api/v2/runs/{run}/steps with many steps, one a line."""

import gzip
import http.client
import json
import random
import zlib

import pytest
from Support.clients.ingest import encode
from Support.clients.libraries import receive, subscribe
from Support.clients.openwire import (LINES, accept_lines, accept_steps, as_served, exists, post_lines, read_steps,
                                      run_path)
from Support.payloads import run_id


def line(number: int, **more) -> dict:
    return {"step": number, "time": number + 1, "scalars": {"loss": number / 7}, "layers": ["a", "b"],
            "metrics": {"m": [number, None if number % 3 else -number]}, **more}


def answer(accepted: int, last_seq: int | None, rejected=(), **more) -> dict:
    return {"status": "accepted", "accepted": accepted, "last_seq": last_seq, "rejected": list(rejected),
            "rejected_count": len(rejected), **more}


def test_the_lines_are_stored_in_their_order(server):
    run = run_id("batch")
    steps = [line(number) for number in range(10)]
    assert accept_lines(server, run, steps) == answer(10, 10)
    assert read_steps(server, run) == [as_served(step, index + 1) for index, step in enumerate(steps)]
    # A line that repeats a step replaces it.
    assert accept_lines(server, run, [line(3), line(20), line(3, batch_size=7)]) == answer(3, 13)
    assert [(step["step"], step["seq"]) for step in read_steps(server, run)][3:] == [
        (3, 13), *((number, number + 1) for number in range(4, 10)), (20, 12)]


@pytest.mark.parametrize("text", [
    '{"step":1}\n{"step":2}', '{"step":1}\r\n{"step":2}\r\n', '\ufeff{"step":1}\n{"step":2}\n',
    ' {"step":1} \n\t{"step":2}\t\n', '{"step":1,\r"batch_size":3}\n{"step":2}\n',
    '\n{"step":1}\n\n  \r\n{"step":2}\n\n'])
def test_line_ends(server, text):
    run = run_id("ends")
    assert accept_lines(server, run, text) == answer(2, 2)
    assert [step["step"] for step in read_steps(server, run)] == [1, 2]


@pytest.mark.parametrize("text", ["", "\n", "\r\n \t\n"])
def test_a_batch_without_lines_begins_no_run(server, text):
    run = run_id("none")
    assert accept_lines(server, run, text) == answer(0, None)
    assert not exists(server, run)


def test_bad_lines_are_listed_with_their_number_and_errors(server):
    run = run_id("bad")
    bad = {3: '{"step":-1}', 4: "", 6: '{"step": }', 7: "[]", 9: '{"step":1,"layers":["a"],"metrics":{"m":["x"]}}',
           12: '{"step":1,"scalars":{"\ufeff":1}}x'}
    lines = [bad.get(number, encode(line(number))) for number in range(1, 13)]
    response = accept_lines(server, run, lines)
    assert response["accepted"] == 6 and response["last_seq"] == 6 and response["rejected_count"] == 5
    assert [(item["line"], [(error["type"], error["loc"]) for error in item["detail"]])
            for item in response["rejected"]] == [
        (3, [("greater_than_equal", ["body", "step"])]), (6, [("json_invalid", ["body", 9])]),
        (7, [("model_attributes_type", ["body"])]), (9, [("float_type", ["body", "metrics", "m", 0])]),
        (12, [("json_invalid", ["body", 30])])]
    assert [step["step"] for step in read_steps(server, run)] == [1, 2, 5, 8, 10, 11]


def test_invalid_utf8_spoils_only_its_line(server):
    run = run_id("utf8")
    response = accept_lines(server, run, b'{"step":1}\n{"step":2,"scalars":{"\xff":1}}\n{"step":3}\n')
    assert (response["accepted"], [item["line"] for item in response["rejected"]]) == (2, [2])


def test_a_hundred_bad_lines_are_listed_and_all_counted(server):
    run = run_id("many")
    response = accept_lines(server, run, ["{}" if number % 2 else line(number) for number in range(300)])
    assert (response["accepted"], response["last_seq"], response["rejected_count"]) == (150, 150, 150)
    assert [item["line"] for item in response["rejected"]] == list(range(2, 202, 2))
    assert accept_lines(server, run_id("all"), ["{}"] * 3)["accepted"] == 0


def test_batches_with_bad_lines_keep_exactly_the_good_ones(server):
    chosen = random.Random(7)
    for _ in range(20):
        run = run_id("tenth")
        lines, good, bad = [], [], []
        for number in range(1, chosen.randrange(20, 300)):
            if number % 10 == 0:
                bad.append(number)
                lines.append(chosen.choice(["{}", "x", '{"step":1.5}', '{"step":1,"metrics":{"m":[1]}}', '{"step":7']))
            else:
                good.append(line(chosen.randrange(100), batch_size=number))
                lines.append(encode(good[-1]))
        response = accept_lines(server, run, lines)
        assert (response["accepted"], response["rejected_count"]) == (len(good), len(bad))
        assert [item["line"] for item in response["rejected"]] == bad
        expected = {step["step"]: as_served(step, index + 1) for index, step in enumerate(good)}
        assert read_steps(server, run) == [expected[step] for step in sorted(expected)]


# Sizes

def test_a_body_may_be_longer_than_a_request_and_a_line_may_not(server):
    run = run_id("long")
    near = '{"step":1,"x":"%s"}' % ("x" * 1_999_980)
    over = '{"step":2,"x":"%s"}' % ("x" * 2_000_000)
    response = accept_lines(server, run, [near, over, '{"step":3}'])
    assert (response["accepted"], response["last_seq"]) == (2, 2)
    item, = response["rejected"]
    error, = item["detail"]
    assert item["line"] == 2 and (error["type"], error["loc"]) == ("too_long", ["body"])
    assert error["ctx"] == {"max_length": 2_000_000} and "2000000" in error["msg"]


def test_a_batch_over_its_limit_stores_nothing(start_server):
    server = start_server("--max-request-size", 100_000, "--max-batch-size", 1_000_000)
    lines = ['{"step":%d,"x":"%s"}' % (number, "x" * 90_000) for number in range(12)]
    run = run_id("over")
    assert accept_lines(server, run, lines[:10])["accepted"] == 10
    run = run_id("over")
    for headers, body in (({}, "\n".join(lines).encode()),
                          ({"Content-Encoding": "gzip"}, gzip.compress("\n".join(lines).encode()))):
        response = post_lines(server, run, body, headers)
        assert response.status_code == 413
        detail = response.json()["detail"]
        assert detail["error"] == "payload_too_large" and "1000000" in detail["message"]
    assert not exists(server, run)
    assert accept_steps(server, run, {"step": 1})["seq"] == 1


def test_a_batch_never_takes_more_than_half_the_memory_for_bodies(start_server):
    server = start_server("--max-body-memory", 4_000_000)
    response = post_lines(server, run_id("half"), b"\n" * 2_000_001)
    assert response.status_code == 413 and "2000000" in response.json()["detail"]["message"]


def test_memory_for_the_decompressed_batch_is_counted(start_server):
    server = start_server("--max-body-memory", 4_000_000)
    # The largest batch: 2 000 000 bytes, as sent and again after decompression.
    text = ("\n".join(f'{{"step":{number},"x":"{random.Random(number).randbytes(500).hex()}"}}'
                      for number in range(1900)) + "\n").encode()
    assert 1_900_000 < len(text) < 2_000_000
    for _ in range(3):
        for body, headers in ((text, {}), (gzip.compress(text), {"Content-Encoding": "gzip"})):
            response = post_lines(server, run_id("memory"), body, headers)
            assert response.status_code == 202 and response.json()["accepted"] == 1900


# Encodings

@pytest.mark.parametrize(("encoding", "compress"), [
    ("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda data: zlib.compress(data)[2:-4])])
def test_a_batch_may_be_compressed(server, encoding, compress):
    run = run_id("coded")
    steps = [line(number) for number in range(500)]
    body = compress("".join(encode(step) + "\r\n" for step in steps).encode())
    assert accept_lines(server, run, body, {"Content-Encoding": encoding}) == answer(500, 500)
    assert read_steps(server, run) == [as_served(step, index + 1) for index, step in enumerate(steps)]


def test_gzip_members_may_end_within_a_line(server):
    body = gzip.compress(b'{"step":1}\n{"st') + gzip.compress(b'ep":2}\n')
    assert accept_lines(server, run_id("members"), body, {"Content-Encoding": "gzip"}) == answer(2, 2)


@pytest.mark.parametrize("spoil", [lambda body: body[:-9], lambda body: body[:len(body) // 2],
                                   lambda body: body + b"x", lambda body: body[:-8] + bytes(4) + body[-4:]])
def test_a_corrupt_batch_stores_nothing(server, spoil):
    run = run_id("corrupt")
    body = gzip.compress("".join(encode(line(number)) + "\n" for number in range(500)).encode())
    response = post_lines(server, run, spoil(body), {"Content-Encoding": "gzip"})
    assert response.status_code == 400 and response.json()["detail"]["error"] == "invalid_encoding"
    assert not exists(server, run)


def test_a_batch_that_expands_too_much_stores_nothing(server):
    run = run_id("bomb")
    body = gzip.compress(b'{"step":1}\n' + b" " * 60_000_000)
    response = post_lines(server, run, body, {"Content-Encoding": "gzip"})
    assert response.status_code == 413 and response.json()["detail"]["error"] == "payload_too_large"
    assert not exists(server, run)


def test_a_batch_that_is_cut_off_stores_nothing(server):
    run = run_id("cut")
    for headers, pieces in (({"Content-Length": "1000"}, [b'{"step":1}\n{"step":2}\n']),
                            ({"Transfer-Encoding": "chunked"}, [b"b\r\n", b'{"step":1}\n', b"\r\n"])):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest("POST", run_path(run) + "/steps")
        for name, value in {"Content-Type": LINES, **headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        for piece in pieces:
            connection.send(piece)
        connection.sock.shutdown(1)
        assert connection.getresponse().status == 400
        connection.close()
    assert not exists(server, run)


def test_a_batch_may_come_in_chunks(server):
    run = run_id("chunks")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", run_path(run) + "/steps", body=iter([b'{"step":3}\n{"s', b'tep":4}', b"\n"]),
                       headers={"Content-Type": LINES, "Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert json.loads(connection.getresponse().read()) == answer(2, 2)
    connection.close()


# Warnings, kept steps, messages

def test_a_warning_is_given_once_for_a_batch(server):
    response = accept_lines(server, run_id("warn"), [
        '{"step":1,"loss":2}', '{"step":2,"loss":3}', '{"step":-1,"rejected":5}', '{"step":3,"acc":4}'])
    assert response["warnings"] == [
        f'"{name}" at the top level is ignored: put it under "scalars"' for name in ("loss", "acc")]
    lines = [f'{{"step":1,"u{number}":2}}' for number in range(40)]
    assert len(accept_lines(server, run_id("warn"), lines)["warnings"]) == 10


def test_lines_that_are_not_kept_are_counted(start_server):
    server = start_server("--max-steps-per-run", 10)
    run = run_id("low")
    assert accept_lines(server, run, [line(number) for number in range(100, 110)]) == answer(10, 10)
    assert accept_lines(server, run, [line(5), line(200), line(6)]) == answer(3, 13, not_kept=2)


def test_each_line_is_a_message(server):
    run = run_id("live")
    with subscribe(server) as socket:
        receive(socket, "initial_runs")
        accept_lines(server, run, [line(number) for number in range(20)])
        messages = [receive(socket, "new_metrics", run) for _ in range(20)]
    assert [(message["data"]["step"], message["seq"]) for message in messages] == [
        (number, number + 1) for number in range(20)]


def test_lines_posted_as_json_are_broken_json(server):
    response = post_lines(server, run_id("json"), [line(1), line(2)], {"Content-Type": "application/json"})
    assert response.status_code == 422 and response.json()["detail"][0]["type"] == "json_invalid"
