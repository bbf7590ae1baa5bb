"""Writes the seed inputs of each fuzz target: `seeds.py FOLDER` creates FOLDER/TARGET/NAME.

An input ends with the target's choices in reverse order (see Support/Choices.swift).
"""

import gzip
import json
import struct
import sys
import zlib
from pathlib import Path


def with_choices(payload: bytes, *choices: int) -> bytes:
    return payload + bytes(reversed(choices))


def step(layers: int, **changes) -> dict:
    statistics = [
        {
            "layer_id": f"encoder.{index}.weight", "layer_type": "Linear", "depth_index": index,
            "intermediate_features": {
                "activation_std": 0.9871 / (index + 1), "activation_mean": -1.25e-3, "activation_shape": [32, 128],
                "cross_layer_std_ratio": None if index == 0 else 0.77},
            "gradient_flow": {"gradient_l2_norm": 5e-324, "gradient_std": 1.7976931348623157e308, "gradient_max_abs": 0},
            "parameter_statistics": {
                "weight": {"std": 0.1, "mean": -0.0, "spectral_norm": 123456789012345678, "frobenius_norm": 1e22},
                "bias": None if index % 2 else {"std": 0.30000000000000004, "mean_abs": 9007199254740993}},
        } for index in range(layers)]
    return {
        "metadata": {
            "run_id": "run-1", "timestamp": 1753862400.25, "global_step": 7, "batch_size": 32,
            "layer_groups": {"encoder": ["encoder.0.weight"]}},
        "layer_statistics": statistics,
        "cross_layer_analysis": {"feature_std_gradient": 0.5, "gradient_norm_ratio": {"a_to_b": 1.5}}, **changes}


def decoder() -> dict[str, bytes]:
    plain = json.dumps(step(2)).encode()
    return {
        "plain": plain,
        "one-layer": json.dumps(step(1), indent=1).encode(),
        "many-layers": json.dumps(step(12), separators=(",", ":")).encode(),
        "byte-order-mark": b"\xef\xbb\xbf" + plain,
        "escapes": plain.replace(b"run-1", rb"r\u00fc\ud83d\ude00\n\/\"\\"),
        "not-a-number": plain.replace(b"0.77", b"NaN"),
        "overflow": plain.replace(b"0.77", b"1e999"),
        "duplicate": plain.replace(b'"metadata": {', b'"metadata": 1, "metadata": {'),
        "unknown": plain.replace(b'"metadata": {', b'"x": [[{"y": [true, false, null, -1.5e+7]}]], "metadata": {'),
        "half-pair": plain.replace(b"Linear", rb"Lin\ud800ear"),
        "empty": b"", "empty-object": b"{}", "nested": b"[" * 70 + b"]" * 70,
    }


def open_step(layers: int, **changes) -> dict:
    return {
        "step": 7, "time": 1753862400.25, "batch_size": 32,
        "scalars": {"train/loss": 0.31, "lr": 3e-4, "gradient_norm_ratio/a.b": 1.5, "grad_norm": "NaN", "none": None},
        "layers": [
            {"id": f"h.{index}.attn", "type": "SelfAttention", "depth": index, "shape": [64, 128, 768],
             "parameters": 2359296, "trainable": index > 0, "group": f"h.{index}"} if index % 2 else f"h.{index}.mlp"
            for index in range(layers)],
        "metrics": {
            "gradient_l2_norm": [0.9871 / (index + 1) for index in range(layers)],
            "activation_std": [None if index else 1.02 for index in range(layers)],
            "update_ratio": ["Infinity" if index else 5e-324 for index in range(layers)]},
        "vectors": {
            "router_load": {"h.0.mlp": [0.11, 0.14, -0.0], "h.1.attn": [1e22]},
            "gradient_exponents": {"h.0.mlp": list(range(66))}}, **changes}


def open_decoder() -> dict[str, bytes]:
    plain = json.dumps(open_step(2)).encode()
    return {
        "plain": plain,
        "one-layer": json.dumps(open_step(1), indent=1).encode(),
        "many-layers": json.dumps(open_step(12), separators=(",", ":")).encode(),
        "other-order": json.dumps(dict(reversed(open_step(2).items()))).encode(),
        "step-alone": b'{"step":7}', "loss": b'{"step":7,"scalars":{"loss":NaN}}',
        "byte-order-mark": b"\xef\xbb\xbf" + plain,
        "escapes": plain.replace(b"mlp", rb"r\u00fc\ud83d\ude00\n\/\"\\").replace(b"lr", rb"\u006cr"),
        "tokens": plain.replace(b"0.31", b"-Infinity").replace(b"1.02", b"1e999"),
        "time": plain.replace(b"1753862400.25", b"Infinity"),
        "duplicates": b'{"step":"x","scalars":{"a":1,"b":2,"a":3},"layers":["l"],"metrics":{"m":[1],"n":["x"],"n":[2]},'
                      b'"vectors":{"v":{"l":[1],"k":[2],"l":[3]},"v":{"l":[4]}},"step":2}',
        "same-id": plain.replace(b"h.1.attn", b"h/0.mlp"), "lengths": plain.replace(b"[0.9871, ", b"["),
        "unknown": plain.replace(b'"time"', b'"loss": [[{"y": [true, false, null, NaN]}]], "time"'),
        "nulls": json.dumps(dict.fromkeys(["step", "time", "scalars", "layers", "metrics", "vectors"])).encode(),
        "names": plain.replace(b"lr", b"").replace(b"router_load", b"x" * 129).replace(b"update_ratio", rb"a\u0085"),
        "wrong-types": b'{"step":[],"time":{},"batch_size":"1","scalars":[],"layers":{},"metrics":7,"vectors":{"v":[]}}',
        "empty": b"", "empty-object": b"{}", "nested": b'{"x":' + b"[" * 70 + b"]" * 70 + b"}",
    }


def actions() -> dict[str, bytes]:
    texts = [
        {"action": "ping"}, {"action": "subscribe_run", "run_id": "run-1"},
        {"action": "subscribe_run", "run_id": "r\u00fc\n", "lite": True}, {"action": 1}, {"run_id": []}, [], "ping", None]
    return {f"action-{index}": json.dumps(text).encode() for index, text in enumerate(texts)}


def updates() -> dict[str, bytes]:
    update = {
        "project": "p", "name": "n\u00e9\U0001f600", "group": "g", "tags": ["a", "b"], "notes": "one\ntwo",
        "config": {"lr": 3e-4, "deep": {"x": [1, None, True]}, "": "empty", "gone": None}, "state": "failed",
        "exit_code": -9, "reason": "SIGKILL", "resume_from": 1200}
    alert = {"level": "warning", "title": "plateau", "text": "no progress", "step": 7}
    empty = {key: None for key in update}
    wrong = {key: [] for key in update} | {"tags": ["x", 7], "config": 1, "title": "", "level": "fatal"}
    return {
        "update": json.dumps(update, ensure_ascii=False).encode(), "alert": json.dumps(alert).encode(),
        "heartbeat": b"{}", "nulls": json.dumps(empty).encode(), "wrong": json.dumps(wrong).encode(),
        "not-finite": b'{"config":{"a":NaN,"b":[-Infinity,1e999]}}', "half-pair": b'{"config":{"\\ud800":1}}',
        "duplicate": b'{"config":{"a":1},"config":{"b":2,"b":null},"name":7,"name":"x"}'}


def inflater() -> dict[str, bytes]:
    text = json.dumps(step(3)).encode()
    raw = zlib.compressobj(6, zlib.DEFLATED, -15)
    bare = raw.compress(text) + raw.flush(zlib.Z_SYNC_FLUSH)
    members = gzip.compress(b"one", mtime=0) + gzip.compress(b"two", mtime=0)
    return {
        "gzip": with_choices(gzip.compress(text, mtime=0), 0, 1),
        "gzip-members": with_choices(members, 0, 2),
        "zlib": with_choices(zlib.compress(text), 1, 3),
        "bare-as-deflate": with_choices(bare, 1, 4),
        "raw": with_choices(bare, 2, 5),
        "raw-small-window": with_choices(bare, 3, 6),
        "bomb": with_choices(gzip.compress(bytes(2_000_000), mtime=0), 0, 7),
        "stored": with_choices(zlib.compress(text, 0), 1, 8),
    }


def frame(opcode: int, payload: bytes, final=True, reserved=0) -> bytes:
    mask = b"\x37\xfa\x21\x3d"
    length = len(payload)
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    head += bytes([0x80 | length]) if length < 126 else bytes([0xFE]) + struct.pack(">H", length)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def websocket() -> dict[str, bytes]:
    text = b'{"action":"subscribe_run","run_id":"run-1"}'
    raw = zlib.compressobj(6, zlib.DEFLATED, -15)
    compressed = (raw.compress(text) + raw.flush(zlib.Z_SYNC_FLUSH))[:-4]
    parts = frame(1, text[:9], final=False) + frame(9, b"ping") + frame(0, text[9:])
    conversations = {
        "text": frame(1, text), "binary": frame(2, bytes(200)), "fragments": parts,
        "close": frame(8, struct.pack(">H", 1000) + b"bye"), "pong": frame(10, b""), "bad-close": frame(8, b"\x03"),
        "compressed": frame(1, compressed, reserved=4),
        "compressed-twice": frame(1, compressed, reserved=4) * 2,
        "compressed-fragments": frame(1, compressed[:5], final=False, reserved=4) + frame(0, compressed[5:]),
        "not-utf8": frame(1, b"\xf0\x28\x8c\x28"), "unmasked": b"\x81\x05hello", "long": frame(1, bytes(300)),
        "too-large": b"\x82\xff" + struct.pack(">Q", 1 << 40) + bytes(4),
    }
    seeds = {}
    for name, wire in conversations.items():
        seeds[name] = with_choices(wire, 0, 5, 1)
        seeds[name + "-deflate"] = with_choices(wire, 1, 0, 0, 0, 9, 1)
    for index, payload in enumerate([b"", "gr\u00fc\u00df \U0001f600".encode(), b"\xc3\x28", text * 20]):
        for compress in (0, 1):
            for window in (0, 6, 7):
                seeds[f"message-{index}-{compress}-{15 - window}"] = with_choices(
                    payload, 1, 1, window, window, 7, 0, 1, compress, 3)
    return seeds


def http() -> dict[str, bytes]:
    host = b"Host: localhost\r\n"
    body = b'{"a":1}'
    zipped = gzip.compress(body, mtime=0)
    requests = {
        "get": b"GET /health HTTP/1.1\r\n" + host + b"\r\n",
        "pipeline": (b"GET /health HTTP/1.1\r\n" + host + b"\r\n") * 3,
        "post": b"POST /echo HTTP/1.1\r\n" + host + b"Content-Length: 7\r\n\r\n" + body,
        "chunked": b"POST /echo HTTP/1.1\r\n" + host
        + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nT: v\r\n\r\n",
        "gzip": b"POST /echo HTTP/1.1\r\n" + host + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(zipped)
        + zipped,
        "expect": b"POST /echo HTTP/1.1\r\n" + host + b"Expect: 100-continue\r\nContent-Length: 7\r\n\r\n" + body,
        "old": b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "stream": b"GET /stream HTTP/1.1\r\n" + host + b"\r\n",
        "static": b"GET /static/css/base.css HTTP/1.1\r\n" + host + b"Accept-Encoding: gzip\r\nIf-None-Match: *\r\n\r\n",
        "range": b"GET /static/css/base.css HTTP/1.1\r\n" + host + b"Range: bytes=0-3\r\n\r\n",
        "token": b"GET /runs/a%2Fb HTTP/1.1\r\n" + host + b"Authorization: Bearer right\r\nConnection: close\r\n\r\n",
        "cookie": b"GET /runs/x HTTP/1.1\r\n" + host + b"Cookie: nnmonitor_session_0=x; a=b\r\nOrigin: null\r\n\r\n",
        "login": b"POST /login HTTP/1.1\r\n" + host + b"Origin: https://localhost\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\ntoken=right",
        "preflight": b"OPTIONS /echo HTTP/1.1\r\n" + host + b"Origin: https://a.b\r\n"
        b"Access-Control-Request-Method: POST\r\n\r\n",
        "upgrade": b"GET /ws HTTP/1.1\r\n" + host + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\nhello",
        "both-lengths": b"POST /echo HTTP/1.1\r\n" + host
        + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "head": b"HEAD /health HTTP/1.1\r\n" + host + b"\r\nDELETE /runs/x HTTP/1.1\r\n" + host + b"\r\n",
        "absolute": b"GET http://localhost/health?x=%20 HTTP/1.1\r\n" + host + b"\r\n", "garbage": b"\x16\x03\x01\x02",
        "preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    }
    return {name: with_choices(wire, name in ("token", "login", "cookie"), 7, 0) for name, wire in requests.items()}


def tls() -> dict[str, bytes]:
    hello = bytes.fromhex(
        "16030100790100007503030000000000000000000000000000000000000000000000000000000000000000000004c02bc02f01000048"
        "000a000400020017000b000201000d000400020403002300000010000b000908687474702f312e31"
        "000000 0e 000c 00 0009 6c6f63616c686f7374 00170000 ff01000100".replace(" ", ""))
    seeds = {
        "hello": with_choices(hello, 1), "hello-in-pieces": with_choices(hello, 0, 3),
        "alert": with_choices(b"\x15\x03\x03\x00\x02\x02\x28", 1), "http": with_choices(b"GET / HTTP/1.1\r\n\r\n", 1),
        "oversized": with_choices(b"\x16\x03\x01\xff\xff" + bytes(40), 1),
    }
    for version in (0, 1):
        # First an unmodified conversation; then modifications early and late.
        seeds[f"conversation-{version}"] = bytes([9] * 200) + bytes([version, 2])
        for index in range(8):
            seeds[f"changed-{version}-{index}"] = bytes((13 * index + 5 * place) % 256 for place in range(160)) + bytes(
                [version, 2])
    return seeds


def settings() -> dict[str, bytes]:
    file = (
        'NN_MONITOR_PORT=8443\n# comment\nNN_MONITOR_CORS_ORIGINS=["https://a.example","http://b:1"]\n'
        'NN_MONITOR_AUTH_TOKEN="secret secret secret"\nNN_MONITOR_LOG_FORMAT=json\nNN_MONITOR_PROT=1\n').encode()
    environment = b"HOST=::1\nPORT=0\nTHREADS=2\nIDLE_TIMEOUT=1.5\nAUTH_TOKEN=x y\nTLS=dev\nMAX_MEMORY=2000000000\n"
    options = b"TLS_CERT_FILE=a.pem\nTLS_KEY_FILE=b.pem\nAUTH=off\nCORS_ORIGINS=https://a, https://b\nLOG_LEVEL=debug\n"
    tokens = b"# tokens\ntrainer:ingest:" + b"5b" * 32 + b"\nteam:read,admin:" + b"0f" * 32 + b"\n"
    return {
        "file": with_choices(file, 0), "file-crlf": with_choices(file.replace(b"\n", b"\r\n"), 0),
        "environment": with_choices(environment, 1), "options": with_choices(options, 2),
        "tokens": with_choices(tokens, 3),
    }


def main():
    folder = Path(sys.argv[1])
    for target in (decoder, open_decoder, actions, updates, inflater, websocket, http, tls, settings):
        place = folder / target.__name__
        place.mkdir(parents=True, exist_ok=True)
        for name, payload in target().items():
            (place / name).write_bytes(payload)


if __name__ == "__main__":
    main()
