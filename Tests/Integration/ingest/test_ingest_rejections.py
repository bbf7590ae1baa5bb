"""The cost of rejecting a body: small bodies that decompress to megabytes of errors."""

import gzip
import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from Support.clients.libraries import healthy
from Support.payloads import payload
from Support.servers.allocations import allocating_at_most
from Support.wire.raw import RawConnection, ingest

MEGABYTE = 1_000_000
SIZE = 1_900_000


def compressed(body: bytes) -> bytes:
    """The compressed body after a random field. At a ratio over a hundred it would be refused as a decompression
    bomb."""
    noise = random.Random(1).randbytes(20_000).hex()
    whole = b'{"noise":"%s",%s' % (noise.encode(), body[1:])
    data = gzip.compress(whole)
    assert len(whole) < 2 * MEGABYTE and len(whole) / 100 < len(data) < 50_000
    return data


def groups(key: str, member: str) -> bytes:
    """One group with a long name whose members are all invalid."""
    count = (SIZE - len(key)) // (len(member) + 1)
    return b'{"metadata":{"layer_groups":{"%s":[%s]}}}' % (key.encode(), ",".join([member] * count).encode())


def repeated(field: str, opening: str, item: str, closing: str) -> bytes:
    whole = json.dumps(payload("a"))
    items = ",".join([item] * (SIZE // (len(item) + 1)))
    return f'{whole[:-1]}, "{field}": {opening}{items}{closing}}}'.encode()


BODIES = {
    "numbers below a key of 1 MB": groups("A" * MEGABYTE, "1"),
    "half characters below a key of 1 MB": groups("A" * MEGABYTE, r'"\ud800"'),
    "numbers below a short key": groups("g", "1"),
    "a long key of a ratio": b'{"cross_layer_analysis":{"gradient_norm_ratio":{"%s":"x"}}}' % (b"A" * SIZE),
    "numbers for layers": repeated("layer_statistics", "[", "1", "]"),
    "empty layers": repeated("layer_statistics", "[", "{}", "]"),
    "texts for dimensions": repeated(
        "layer_statistics", '[{"intermediate_features":{"activation_shape":[', '""', "]}}]"),
    "texts for ratios": repeated("cross_layer_analysis", '{"gradient_norm_ratio":{', '"":""', "}}"),
}


def refused(server, data: bytes):
    with RawConnection(server, timeout=60) as raw:
        answer = raw.ask(ingest(data, headers=["Content-Encoding: gzip"]))
    assert answer.status == 422, answer.body[:200]
    assert len(answer.body) < MEGABYTE
    return answer.json()["detail"]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_errors_costs_the_server_a_small_multiple_of_its_length(start_server, name):
    own = start_server(counted=True)
    data = compressed(BODIES[name])
    # Four concurrent bodies, including the memory for decompression and parsing.
    with allocating_at_most(own, 80 * MEGABYTE), ThreadPoolExecutor(4) as pool:
        details = list(pool.map(lambda _: refused(own, data), range(8)))
    assert all(detail == details[0] for detail in details)
    assert len(details[0]) <= 101
    healthy(own)


def test_a_long_key_is_cut_in_the_path_and_all_its_errors_are_counted(server):
    detail = refused(server, compressed(BODIES["numbers below a key of 1 MB"]))
    members = (SIZE - MEGABYTE) // 2
    path = ["body", "metadata", "layer_groups", "A" * 1024 + "…"]
    # run_id, timestamp, global_step and batch_size precede them; layer_statistics and cross_layer_analysis follow.
    assert [item["type"] for item in detail] == ["missing"] * 4 + ["string_type"] * 96 + ["too_many_errors"]
    assert [item["loc"] for item in detail[4:-1]] == [[*path, index] for index in range(96)]
    assert detail[-1]["msg"] == f"{members + 6 - 100} more errors are not listed"
