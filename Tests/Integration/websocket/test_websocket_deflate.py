"""permessage-deflate (RFC 7692): negotiation, and that both sides comply with its result."""

import contextlib
import json
import zlib

import pytest
from Support.clients.libraries import healthy, post_steps, session, subscribe
from Support.payloads import run_id, served
from Support.servers.allocations import allocating_at_most
from Support.wire.raw_websocket import CONTINUATION, PING, PONG, TEXT, RawWebSocket, inflate_within

COMPRESSED = 4  # RSV1, the highest of the three reserved bits

OFFERS = [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; client_no_context_takeover",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    'permessage-deflate; server_max_window_bits="11"; client_max_window_bits="10"',
    *(f"permessage-deflate; server_max_window_bits={bits}" for bits in range(8, 16)),
    *(f"permessage-deflate; client_max_window_bits={bits}" for bits in range(8, 16)),
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; "
    "client_max_window_bits=9",
]


class Compressor:
    """Compresses a client's messages within the negotiated parameters."""

    def __init__(self, parameters: dict):
        # zlib's raw deflate has no window of 256 bytes. Its window of 512 never reaches back further than 250.
        self.bits = max(int(parameters.get("client_max_window_bits") or 15), 9)
        self.fresh = "client_no_context_takeover" in parameters
        self.stream = None

    def __call__(self, text: str) -> bytes:
        if self.stream is None or self.fresh:
            self.stream = zlib.compressobj(9, zlib.DEFLATED, -self.bits)
        data = self.stream.compress(text.encode()) + self.stream.flush(zlib.Z_SYNC_FLUSH)
        return data.removesuffix(b"\x00\x00\xff\xff")


@pytest.fixture(scope="module")
def run(server):
    """A run whose history repeats itself within and beyond a small window."""
    run = run_id("deflate")
    with session(server) as client:
        posted = post_steps(client, server, run, range(12), layers=12)
    return run, [served(body) for body in posted]


def agreed(offer: str, parameters: dict):
    """Checks the requirements of RFC 7692 section 7.1 on the response to an offer."""
    for name, value in parameters.items():
        assert name in {
            "server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits",
            "client_max_window_bits"}
        assert (value is None) == name.endswith("takeover")
    asked = {name: value.strip('"') for name, _, value in (
        part.strip().partition("=") for part in offer.split(";")[1:])}
    if "server_no_context_takeover" in asked:
        assert "server_no_context_takeover" in parameters
    if "server_max_window_bits" in asked:
        assert 8 <= int(parameters["server_max_window_bits"]) <= int(asked["server_max_window_bits"])
    if "client_max_window_bits" not in asked:
        assert "client_max_window_bits" not in parameters
    elif "client_max_window_bits" in parameters:
        assert 8 <= int(parameters["client_max_window_bits"]) <= int(asked["client_max_window_bits"] or 15)


@pytest.mark.parametrize("offer", OFFERS)
def test_offer_is_answered_and_kept(server, run, offer):
    name, steps = run
    with RawWebSocket(server, offer=offer) as socket:
        assert socket.answer.status == 101
        assert socket.parameters is not None
        agreed(offer, socket.parameters)
        # Every message is inflated independently, so the server must have promised this.
        assert "server_no_context_takeover" in socket.parameters
        assert socket.read_json()["type"] == "initial_runs"
        compress = Compressor(socket.parameters)
        for _ in range(3):
            socket.frame(TEXT, compress(json.dumps({"action": "subscribe_run", "run_id": name})), rsv=COMPRESSED)
            assert socket.read_until("run_history")["data"]["steps"] == steps
        # Enough data to wrap the client's window, then a repetition from within the window.
        for index in range(40):
            message = json.dumps({"action": f"unknown-{index}", "pad": "%x" % 7**1500})
            socket.frame(TEXT, compress(message), rsv=COMPRESSED)
            assert f"unknown-{index}" in socket.read_until("error")["message"]


@pytest.mark.parametrize("offer", ["permessage-deflate", "permessage-deflate; client_max_window_bits"])
def test_a_client_may_refer_to_its_earlier_messages_unless_it_offered_not_to(server, offer):
    with RawWebSocket(server, offer=offer) as socket:
        # Tornado keeps its window for any parameter that is returned without a value.
        compress = Compressor({})
        for index in range(200):
            # Match distances up to the window size, into data from before the window wrapped.
            message = json.dumps({"action": f"unknown-{index % 7}", "pad": "%x" % (7 ** (100 + index % 7 * 700))})
            data = compress(message)
            socket.frame(TEXT, data, rsv=COMPRESSED)
            assert f"unknown-{index % 7}" in socket.read_until("error")["message"]
    with RawWebSocket(server, offer=offer + "; client_no_context_takeover") as socket:
        assert "client_no_context_takeover" in socket.parameters


def test_frames_of_a_history_are_compressed(server, run):
    with RawWebSocket(server, offer="permessage-deflate") as socket:
        socket.say({"action": "subscribe_run", "run_id": run[0]})
        seen = []
        while len(seen) < 2:
            seen.append(socket.read_message())
        data, compressed = seen[-1]
        assert compressed
        assert len(data) < len(json.dumps(run[1]))


def test_new_metrics_are_compressed_for_who_asked_and_plain_for_who_did_not(server):
    run = run_id()
    offers = ["permessage-deflate", None, "permessage-deflate; server_max_window_bits=9", "permessage-deflate"]
    sockets = [RawWebSocket(server, offer=offer) for offer in offers]
    for socket in sockets:
        assert socket.read_json()["type"] == "initial_runs"
    with session(server) as client:
        body = post_steps(client, server, run, [1], layers=20)[0]
    wire = [socket.read_frame() for socket in sockets]
    assert [bool(frame.rsv & COMPRESSED) for frame in wire] == [True, False, True, True]
    assert wire[0].payload == wire[3].payload
    assert json.loads(wire[1].payload)["data"] == served(body)
    for socket in sockets:
        socket.close()


def test_nothing_is_negotiated_when_nothing_is_offered(server, run):
    with RawWebSocket(server) as socket:
        assert "sec-websocket-extensions" not in socket.answer
        assert socket.read_frame().rsv == 0
        socket.say({"action": "subscribe_run", "run_id": run[0]})
        assert socket.read_until("run_history")["data"]["steps"] == run[1]


@pytest.mark.parametrize("offer", [
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=010",
    "permessage-deflate; client_max_window_bits=ten",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; colour=blue",
    "x-webkit-deflate-frame",
    "permessage-bzip2",
])
def test_offer_that_cannot_be_taken_is_declined(server, offer):
    with RawWebSocket(server, offer=offer) as socket:
        assert socket.answer.status == 101
        assert "sec-websocket-extensions" not in socket.answer
        message, compressed = socket.read_message()
        assert not compressed
        assert json.loads(message)["type"] == "initial_runs"


def test_second_offer_is_taken_when_the_first_cannot_be(server):
    with RawWebSocket(
            server, offer="permessage-deflate; server_max_window_bits=99, permessage-deflate") as socket:
        assert socket.parameters is not None
        assert socket.parameters.get("server_max_window_bits") != "99"
        assert socket.read_json()["type"] == "initial_runs"


def test_client_may_send_plain_messages_after_negotiating(server):
    with RawWebSocket(server, offer="permessage-deflate") as socket:
        socket.say({"action": "ping"})
        assert socket.read_until("pong") == {"type": "pong"}


def test_compressed_message_in_fragments_with_a_ping_in_between(server):
    with RawWebSocket(server, offer="permessage-deflate") as socket:
        assert socket.read_json()["type"] == "initial_runs"
        data = Compressor(socket.parameters)(json.dumps({"action": "hop " * 50}))
        socket.frame(TEXT, data[:7], fin=False, rsv=COMPRESSED)
        socket.frame(PING, b"?")
        socket.frame(CONTINUATION, data[7:])
        frame = socket.read_frame()
        assert (frame.opcode, frame.payload) == (PONG, b"?")
        assert socket.read_json()["type"] == "error"


@pytest.mark.parametrize("data, rsv, codes", [
    (zlib.compress(b"\xff" * 20, wbits=-15), COMPRESSED, {1007}),
    (b"\xff" * 20, COMPRESSED, {1002, 1007}),
    (zlib.compress(b" " * 1_000_000, wbits=-15), COMPRESSED, {1009}),
    (b"{}", 2, {1002}),
], ids=["invalid UTF-8 inside", "not deflate", "expands beyond the limit", "RSV2"])
def test_bad_compressed_message_closes_with_its_code(server, data, rsv, codes):
    with RawWebSocket(server, offer="permessage-deflate") as socket:
        socket.frame(TEXT, data, rsv=rsv)
        assert socket.read_close() in codes
        assert socket.gone()


def test_compressed_control_frame_is_closed_with_1002(server):
    with RawWebSocket(server, offer="permessage-deflate") as socket:
        socket.frame(PING, b"x", rsv=COMPRESSED)
        assert socket.read_close() == 1002


def test_continuation_that_says_it_is_compressed_is_closed_with_1002(server):
    with RawWebSocket(server, offer="permessage-deflate") as socket:
        data = Compressor(socket.parameters)('{"action":"ping"}')
        socket.frame(TEXT, data[:3], fin=False, rsv=COMPRESSED)
        socket.frame(CONTINUATION, data[3:], rsv=COMPRESSED)
        assert socket.read_close() == 1002


def test_small_messages_that_inflate_to_much_do_not_move_memory(start_server):
    own = start_server(counted=True)
    with allocating_at_most(own, 10_000_000):
        sockets = [RawWebSocket(own, offer="permessage-deflate") for _ in range(30)]
        for socket in sockets:
            socket.frame(TEXT, zlib.compress(b" " * 20_000_000, wbits=-15), rsv=COMPRESSED)
        assert {socket.read_close() for socket in sockets} == {1009}
    healthy(own)


def test_a_step_is_compressed_at_most_twice_whatever_the_subscribers_negotiate(server):
    run = run_id()
    offers = [
        f"permessage-deflate; server_max_window_bits={bits}{takeover}"
        for bits in range(8, 16) for takeover in ("", "; client_no_context_takeover")]
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(RawWebSocket(server, offer=offer)) for offer in offers]
        for offer, socket in zip(offers, sockets, strict=True):
            agreed(offer, socket.parameters)
            assert socket.read_json()["type"] == "initial_runs"
        with session(server) as client:
            body = post_steps(client, server, run, [1], layers=60)[0]
        frames = [socket.read_frame() for socket in sockets]
    # zlib cannot compress with a window of 2^8 bytes; all others are compressed, in one of two ways.
    assert [bool(frame.rsv & COMPRESSED) for frame in frames] == [False] * 2 + [True] * 14
    assert len({frame.payload for frame in frames[2:]}) == 2
    for socket, frame in zip(sockets, frames, strict=True):
        bits = int(socket.parameters["server_max_window_bits"])
        text = inflate_within(bits, frame.payload) if frame.rsv & COMPRESSED else frame.payload
        assert json.loads(text)["data"] == served(body)


def test_library_client_negotiates_and_reads(secure_server):
    run = run_id()
    with session(secure_server) as client, subscribe(secure_server) as socket:
        assert "permessage-deflate" in socket.response.headers["Sec-WebSocket-Extensions"]
        post_steps(client, secure_server, run, [0])
        assert json.loads(socket.recv(timeout=20))["type"] == "initial_runs"
