"""A server to read from: runs, their health, and Server-Sent Events that a test writes."""

from __future__ import annotations

import http.server
import json
import queue
import threading
import urllib.parse

#: Ends a stream: in good order, or in the middle of a chunk.
END, BREAK = object(), object()


class Readable:
    """Answers from what tests put into its fields.

    Attributes:
        runs: by id, the last updated one last.
        health: answers by run id.
        refusals: statuses for the next requests for events, before any is answered.
        streams: queues of texts, one for each connection for events; `END` and `BREAK` end it.
        asked: the queries of the requests for events, with the header `Authorization`.
    """

    def __init__(self):
        self.runs, self.health, self.refusals, self.asked = {}, {}, [], []
        self.streams: queue.Queue = queue.Queue()
        server = self

        class Handler(ReadableHandler):
            readable = server

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def add_run(self, run, state="running", last_seq=0):
        self.runs.pop(run, None)
        self.runs[run] = {"run_id": run, "state": state, "last_seq": last_seq, "created_at": "2026-11-30T10:00:00Z"}

    def stream(self, *parts):
        """What the next connection for events gets. Strings are sent as they are, objects as the data of an event,
        steps with their `seq` as id. 404 alone is a status."""
        self.streams.put(parts)

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class ReadableHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    readable: Readable

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        if parts.path == "/api/v2/events":
            self.send_events(query)
        elif parts.path == "/api/v2/runs":
            self.answer(200, {"runs": list(self.readable.runs.values())[::-1][:int(query["limit"])], "next": None})
        else:
            *_, run, last = ["", *parts.path.split("/")]
            if last == "health":
                found = self.readable.health.get(urllib.parse.unquote(run))
                if isinstance(found, int):
                    self.answer(found, {"detail": {"error": "refused", "message": "not with this token"}})
                    return
                self.readable.asked.append((query, self.headers.get("Authorization")))
            else:
                found = self.readable.runs.get(urllib.parse.unquote(last))
            self.answer(200 if found else 404, found or {"detail": "Not Found"})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_events(self, query):
        self.readable.asked.append((query, self.headers.get("Authorization")))
        if self.readable.refusals:
            self.answer(self.readable.refusals.pop(0), {"detail": {"error": "busy", "message": "try again later"}})
            return
        parts = self.readable.streams.get(timeout=60)
        if parts == (404,):
            self.answer(404, {"detail": "Not Found"})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        for part in parts:
            if part is END:
                self.wfile.write(b"0\r\n\r\n")
                return
            if part is BREAK:
                self.wfile.write(b"ff\r\ndata: {")
                return
            if not isinstance(part, str):
                seq = f"id: {part['seq']}\n" if "seq" in part else ""
                part = f"{seq}data: {json.dumps(part)}\n\n"
            data = part.encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
