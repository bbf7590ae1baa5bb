"""ClientHello messages: old versions, unusual names, ALPN, compression, and hellos that arrive slowly or never end."""

import os
import struct
import time

import pytest
from Support.wire.client_hello import (
    ALPN, EARLY_DATA, HEARTBEAT, SSL3, SUPPORTED_VERSIONS, TLS1_0, TLS1_1, TLS1_2, TLS1_3, answer_to, client_hello,
    extension, protocols, read_answer, server_names)
from Support.clients.libraries import healthy
from Support.servers.server import Server
from Support.wire.raw import RawConnection, request
from Support.wire.tls_wire import FATAL, HANDSHAKE, TLSWire, record

HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECODE_ERROR, PROTOCOL_VERSION, NO_APPLICATION_PROTOCOL = 40, 47, 50, 70, 120


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server with a handshake timeout of one second."""
    with Server(["--tls", "dev", "--handshake-timeout", "1"], None, tmp_path_factory.mktemp("hasty")) as running:
        yield running


@pytest.fixture(autouse=True)
def serves_on(secure_server):
    yield
    healthy(secure_server)


# SSL 3.0 has no protocol_version alert.
@pytest.mark.parametrize("version, alert", [
    (SSL3, HANDSHAKE_FAILURE), (TLS1_0, PROTOCOL_VERSION), (TLS1_1, PROTOCOL_VERSION)])
def test_hello_of_an_old_version_gets_the_alert_for_it(secure_server, version, alert):
    with RawConnection(secure_server, tls=False) as connection:
        connection.send(client_hello(version))
        assert read_answer(connection).alert == (FATAL, alert)
        assert connection.ended()


def test_hello_of_ssl_2_is_refused(secure_server):
    suites = b"\x07\x00\xc0\x05\x00\x80"
    body = b"\1\0\2" + struct.pack("!HHH", len(suites), 0, 16) + suites + os.urandom(16)
    with RawConnection(secure_server, tls=False) as connection:
        connection.send(struct.pack("!H", 0x8000 | len(body)) + body)
        while not connection.gone():
            # The server sends an alert or nothing.
            assert connection.buffer[:1] == b"\x15"
            connection.buffer = b""


def test_both_versions_are_answered_in_kind(secure_server):
    old, new = answer_to(secure_server, client_hello()), answer_to(secure_server, client_hello(modern=True))
    assert (old.version, SUPPORTED_VERSIONS in old.extensions) == (TLS1_2, False)
    assert new.extensions[SUPPORTED_VERSIONS] == struct.pack("!H", TLS1_3)


def test_version_from_the_future_gets_what_we_have(secure_server):
    assert answer_to(secure_server, client_hello(0x0399)).version == TLS1_2


def test_suites_that_are_not_ours_get_the_alert_for_it(secure_server):
    # CBC, RC4, no encryption, RSA key exchange.
    answer = answer_to(secure_server, client_hello(suites=[0xC009, 0x0005, 0x0001, 0x009C]))
    assert answer.alert == (FATAL, HANDSHAKE_FAILURE)


@pytest.mark.parametrize("names", [[b"http/1.1"], [b"h2", b"http/1.1"], [b"x" * 255, b"http/1.1"],
                                   [*(b"p%d" % number for number in range(1000)), b"http/1.1"]])
def test_http_1_1_is_chosen_wherever_it_stands(secure_server, names):
    answer = answer_to(secure_server, client_hello(extensions=protocols(*names)))
    assert answer.extensions[ALPN] == b"\0\x09\x08http/1.1"


@pytest.mark.parametrize("modern", [False, True])
@pytest.mark.parametrize("names", [[b"h2"], [b"HTTP/1.1"], [b"http/1.0", b"h3"], [b"http/1.1\0"]])
def test_other_protocols_alone_get_the_alert_for_it(secure_server, names, modern):
    answer = answer_to(secure_server, client_hello(extensions=protocols(*names), modern=modern))
    assert answer.alert == (FATAL, NO_APPLICATION_PROTOCOL)


@pytest.mark.parametrize("body", [b"", b"\0\0", b"\0\1\0", b"\0\x02\x05h", b"\0\x09\x08http/1.1\0", b"\xff\xff\x02h2"])
def test_broken_lists_of_protocols_are_refused(secure_server, body):
    assert answer_to(secure_server, client_hello(extensions=extension(ALPN, body))).alert == (FATAL, DECODE_ERROR)


def test_client_without_protocols_is_served(secure_server):
    assert ALPN not in answer_to(secure_server, client_hello()).extensions
    # Python's clients do not offer compression either.
    with TLSWire(secure_server).shake_hands() as connection:
        assert connection.tls.selected_alpn_protocol() is None
        assert connection.ask(request()).status == 200


@pytest.mark.parametrize("name", [
    b"", b"localhost", b"LOCALHOST", b"localhost.", b"other.example", b"127.0.0.1", b"[::1]", b"*.example.org", b"a" * 255,
    b"../../etc/passwd", b"b\xc3\xbccher.example", b"\xff\xfe", b"-", b" ", b"xn--bcher-kva.example"])
def test_any_name_gets_the_one_certificate(secure_server, name):
    answer = answer_to(secure_server, client_hello(extensions=server_names(name)))
    assert answer.version == TLS1_2


@pytest.mark.parametrize("names", [
    server_names(b"a" * 256), server_names(b"local\0host"), server_names(b"a", b"b"),
    extension(0, b""), extension(0, b"\0\0"), extension(0, b"\0\x05\0\0\x09abc"), extension(0, b"\xff\xff\0"),
    server_names(b"a") + server_names(b"b"), server_names(b"x" * 60000)], ids=[
    "256 bytes", "NUL", "two names", "nothing", "empty list", "cut off", "too long", "sent twice", "60 KB"])
def test_names_that_are_broken_get_an_alert(secure_server, names):
    hello = client_hello(extensions=names)
    if len(hello) > 16384:
        # The message exceeds one record: split it into records of 16 384 bytes.
        body = hello[5:5 + 70000]
        hello = b"".join(record(HANDSHAKE, body[start:start + 16384], TLS1_0) for start in range(0, len(body), 16384))
    assert answer_to(secure_server, hello).alert is not None


def test_name_of_an_unknown_kind_is_passed_over_or_refused(secure_server):
    answer = answer_to(secure_server, client_hello(extensions=server_names(b"a", kind=7)))
    assert answer.version == TLS1_2 or answer.alert is not None


def test_compression_is_never_chosen(secure_server):
    assert answer_to(secure_server, client_hello(compressions=b"\1\0")).compression == 0
    alert = answer_to(secure_server, client_hello(compressions=b"\1")).alert
    assert alert in [(FATAL, ILLEGAL_PARAMETER), (FATAL, DECODE_ERROR)]
    # TLS 1.3 forbids compression (RFC 8446 section 4.1.2).
    assert answer_to(secure_server, client_hello(compressions=b"\1\0", modern=True)).alert == (FATAL, ILLEGAL_PARAMETER)


def test_heartbeat_and_early_data_are_not_agreed_to(secure_server):
    answer = answer_to(secure_server, client_hello(extensions=extension(HEARTBEAT, b"\1")))
    assert answer.version == TLS1_2
    assert HEARTBEAT not in answer.extensions
    # TLSTests covers early data with a session. A ClientHello alone does not prove that the server refuses it.
    answer = answer_to(secure_server, client_hello(extensions=extension(EARLY_DATA, b""), modern=True))
    assert answer.alert is not None or EARLY_DATA not in answer.extensions


@pytest.mark.parametrize("data", [
    record(HANDSHAKE, b"\1\xff\xff\xff"), b"\x16\x03\x01\xff\xff", b"\x17\x03\x03\0\1\0", b"\x18\x03\x03\0\3\1\0\0",
    b"\x63\x03\x03\0\1\0", b"\x14\x03\x03\0\1\1", record(HANDSHAKE, b"\2\0\0\0"), record(HANDSHAKE, b"")],
    ids=["16 MB hello", "64 KB record", "data", "heartbeat", "unknown", "cipher change", "ServerHello", "empty"])
def test_first_records_that_make_no_sense_end_the_connection(hasty, data):
    with RawConnection(hasty, tls=False) as connection:
        connection.send(data)
        while not connection.gone():
            assert connection.buffer[:1] == b"\x15"
            connection.buffer = b""


@pytest.mark.parametrize("size", [1, 2, 3, 5, 50])
def test_hello_may_come_in_any_number_of_records_and_writes(secure_server, size):
    hello = client_hello()
    body = hello[5:]
    records = b"".join(record(HANDSHAKE, body[start:start + size], TLS1_0) for start in range(0, len(body), size))
    assert answer_to(secure_server, records).version == TLS1_2
    with TLSWire(secure_server).shake_hands(pieces=size) as connection:
        assert connection.ask(request()).status == 200


def test_bytes_that_drip_in_do_not_prolong_the_handshake(hasty):
    hello = client_hello(extensions=extension(21, bytes(14000)))
    began = time.monotonic()
    with RawConnection(hasty, tls=False) as connection:
        connection.socket.settimeout(0.02)
        for place in range(len(hello)):
            try:
                connection.send(hello[place:place + 1])
                if not connection.socket.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert place < len(hello) - 1
    assert 0.9 < time.monotonic() - began < 30


def test_handshake_that_stops_after_the_servers_words_is_closed(hasty):
    for modern in (False, True):
        with RawConnection(hasty, tls=False) as connection:
            connection.send(client_hello(modern=modern))
            assert read_answer(connection).version == TLS1_2
            while not connection.gone():
                connection.buffer = b""
    # A Finished message without its last byte.
    with TLSWire(hasty) as connection:
        finished = connection.shake_hands_but_for_the_end()
        connection.transmit(finished[:-1])
        connection.drain()
