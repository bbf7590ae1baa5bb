"""Instructions of one request in the server's process, counted by callgrind and grouped by component."""

import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from harness import INGEST, ROOT, TOKEN, Peer, certificate, different, with_step
from Support.servers.server import Server, binary

# The first pattern that matches a function or its library wins. Function names are mangled.
PARTS = [
    ("OpenSSL: TLS records", r"libcrypto|libssl"),
    ("allocating and freeing memory", r"malloc|calloc|realloc|cfree|_int_free|free@|unlink_chunk|memalign|swift_slow|Alloc"),
    ("decoding and checking the payload",
     r"MonitorCore(14PayloadDecoder|10JSONReader|11StepDecoder|17DecimalConversion|10SchemaKeys|13DuplicateKeys|12PowersOfFive|14IssueCollector"
     r"|12KeyedIssues|11LayerLayout|16ActivationShapes)"),
    ("storing and handing on", r"MonitorCore|10MonitorAPI"),
    ("HTTP: reading requests", r"llhttp|7NIOHTTP1|HTTPService(13MessageBounds|11RequestLine|12InputHandler|9EmptyLine)"),
    ("HTTP: gate, routing, token, answer", r"11HTTPService"),
    ("TLS: our handler", r"16OpenSSLTransport"),
    ("event loop, channels, buffers", r"7NIOCore|8NIOPosix|6NIOTLS|19CNIO|NIOConcurrencyHelpers|syscall|epoll|clock_gettime"),
    ("copying and comparing memory", r"mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|ncasecmp)"),
    ("Swift: tasks and actors", r"swift_task|swift_job|swift_defaultActor|AsyncTask|libswift_Concurrency|DefaultActor|ScA"),
    ("Swift: reference counts and the rest of its runtime", r"swift|\$s"),
]


def profile(report):
    """User-space instructions of one POST of 50 layers over HTTPS, by component"""
    with tempfile.TemporaryDirectory() as name:
        folder, posts = Path(name), 300
        pair, out = certificate(folder), folder / "callgrind.out"
        # valgrind cannot read all of Swift's debug information.
        stripped = folder / "NNMonitor"
        subprocess.run(["strip", "--strip-debug", "-o", stripped, binary()], check=True)
        server = Server(
            ["--tls-cert-file", pair.certificate, "--tls-key-file", pair.key, "--log-level", "warning", "--threads", 1],
            {"NN_MONITOR_AUTH_TOKEN": TOKEN}, folder, program=stripped,
            wrapper=["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"])
        peer = Peer("NNMonitor", server.process.pid, server.port)
        with peer.session() as client:
            bodies = different("profile")

            def post(steps: range):
                for step in steps:
                    answer = client.post(peer.url + INGEST, data=with_step(bodies[step % len(bodies)], step))
                    assert answer.status_code == 202, answer.text
            post(range(50))
            switch(server, "on")
            post(range(50, 50 + posts))
            switch(server, "off")
            held = client.get(peer.url + "/api/v1/runs").json()["profile"]["step_count"]
            assert held == 50 + posts
        server.stop()
        counts = parts(out)
    total = sum(counts.values())
    report.figure("all", total / posts / 1000, "thousand instructions")
    for part, count in counts.most_common():
        report.figure(part, 100 * count / total, "%")


def switch(server: Server, state: str):
    subprocess.run(["callgrind_control", "-i", state, str(server.process.pid)], check=True, capture_output=True)


def parts(out: Path) -> Counter:
    """Instructions of each part."""
    text = subprocess.run(
        ["callgrind_annotate", "--threshold=100", "--show=Ir", "--auto=no", out], check=True, capture_output=True,
        text=True).stdout
    counts = Counter()
    for line in text.splitlines():
        found = re.match(r"\s*([\d,]+) \([^)]*\)\s+(\S.*)", line)
        if not found or "PROGRAM TOTALS" in line:
            continue
        name = found.group(2).replace(str(ROOT), "")
        for part, pattern in PARTS:
            if re.search(pattern, name):
                break
        else:
            part = "other"
        counts[part] += int(found.group(1).replace(",", ""))
    return counts
