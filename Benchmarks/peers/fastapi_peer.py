"""The same contract as a FastAPI server: what a good Python engineer would write, for script/bench to compare with.

    fastapi_peer.py --port P --cert FILE --key FILE --token T [--no-deflate] [--orjson] [--max-steps-per-run N]

It also takes steps of the open wire, one a request or one a line; it sends and lists them as they were posted. Bodies are
validated by pydantic v2, a broadcast is encoded once for all subscribers; uvicorn[standard] runs on uvloop with
httptools, TLS is Python's ssl. Answers and messages are encoded as FastAPI does it by itself, with Python's json; with
--orjson, by orjson. Prints "ready" when it listens.
"""

import argparse
import asyncio
import bisect
import gzip
import json
import secrets
from datetime import datetime, timezone

import orjson
import uvicorn
import uvloop
from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, ORJSONResponse, Response
from fastapi.routing import APIRoute
from models import OpenStep, Payload, RunID, lite, stored, stored_open
from pydantic import ValidationError
from starlette.requests import ClientDisconnect


class Store:
    def __init__(self, runs: int, steps: int):
        self.limits = runs, steps
        self.runs: dict[str, dict] = {}

    def add(self, run_id: str, step: dict) -> int:
        """Returns the number of this change of the run."""
        now = datetime.now(timezone.utc).isoformat()
        run = self.runs.get(run_id)
        if run is None:
            if len(self.runs) >= self.limits[0]:
                del self.runs[min(self.runs, key=lambda name: self.runs[name]["last_update"])]
            run = self.runs[run_id] = {"created_at": now, "last_update": now, "steps": [], "last_seq": 0}
        run["last_update"] = now
        run["last_seq"] += 1
        steps = run["steps"]
        place = bisect.bisect_left(steps, step["step"], key=lambda held: held["step"])
        if place < len(steps) and steps[place]["step"] == step["step"]:
            steps[place] = step
        else:
            steps.insert(place, step)
            if len(steps) > self.limits[1]:
                del steps[0]
        return run["last_seq"]

    def listing(self) -> dict:
        return {
            name: {"created_at": run["created_at"], "last_update": run["last_update"],
                   "step_count": len(run["steps"]), "latest_step": run["steps"][-1]["step"]}
            for name, run in self.runs.items()}


class GzipRoute(APIRoute):
    """Takes gzip bodies, too."""

    def get_route_handler(self):
        handler = super().get_route_handler()

        async def handle(request: Request):
            if request.headers.get("content-encoding") == "gzip":
                request._body = gzip.decompress(await request.body())
            return await handler(request)
        return handle


def application(options) -> FastAPI:
    Answer = ORJSONResponse if options.orjson else JSONResponse
    app = FastAPI(default_response_class=Answer)
    app.router.route_class = GzipRoute
    store = Store(options.max_runs, options.max_steps_per_run)
    subscribers: set[WebSocket] = set()

    def encode(message) -> str:
        if options.orjson:
            return orjson.dumps(message).decode()
        return json.dumps(message, separators=(",", ":"), ensure_ascii=False)

    def authorized(headers) -> bool:
        return secrets.compare_digest(headers.get("authorization", ""), f"Bearer {options.token}")

    def allowed(request: Request):
        if not authorized(request.headers):
            raise HTTPException(401, {"error": "unauthorized", "message": "A token is required"})

    async def send(subscriber: WebSocket, text: str):
        try:
            await subscriber.send_text(text)
        except (RuntimeError, WebSocketDisconnect):
            subscribers.discard(subscriber)

    async def broadcast(message: dict):
        if subscribers:
            text = encode(message)
            await asyncio.gather(*[send(subscriber, text) for subscriber in list(subscribers)])

    @app.post("/api/v1/metrics/layerwise", status_code=202, dependencies=[Depends(allowed)])
    async def ingest(payload: Payload):
        run_id, step = payload.metadata.run_id, stored(payload)
        seq = store.add(run_id, step)
        await broadcast({"type": "new_metrics", "run_id": run_id, "data": step, "seq": seq})
        return {"status": "accepted", "run_id": run_id, "seq": seq}

    async def add_open(run_id: str, posted: OpenStep) -> int:
        step = stored_open(posted)
        seq = step["seq"] = store.add(run_id, step)
        await broadcast({"type": "step", "run_id": run_id, "seq": seq, "data": step})
        return seq

    @app.post("/api/v2/runs/{run_id}/steps", status_code=202, dependencies=[Depends(allowed)])
    async def ingest_open(run_id: RunID, request: Request):
        try:
            body = await request.body()
        except ClientDisconnect:
            # The load generator leaves in the middle of a body.
            return Response(status_code=400)
        if request.headers.get("content-type") != "application/x-ndjson":
            try:
                step = OpenStep.model_validate_json(body)
            except ValidationError as error:
                raise HTTPException(422, error.errors(include_url=False, include_context=False)) from None
            return {"status": "accepted", "run_id": run_id, "seq": await add_open(run_id, step)}
        accepted, seq, rejected = 0, None, []
        for number, line in enumerate(body.split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                step = OpenStep.model_validate_json(line)
            except ValidationError as error:
                rejected.append({"line": number, "detail": error.errors(include_url=False, include_context=False)})
                continue
            accepted, seq = accepted + 1, await add_open(run_id, step)
        return {"status": "accepted", "accepted": accepted, "last_seq": seq, "rejected": rejected[:100],
                "rejected_count": len(rejected)}

    @app.get("/api/v1/runs", dependencies=[Depends(allowed)])
    async def listing():
        return Answer(store.listing())

    @app.get("/api/v1/runs/{run_id}", dependencies=[Depends(allowed)])
    async def history(run_id: str):
        if run_id not in store.runs:
            raise HTTPException(404, {"error": "not_found", "message": f"Run '{run_id}' not found"})
        return Answer(store.runs[run_id])

    @app.get("/health")
    async def health():
        return Answer({"status": "healthy", "active_connections": len(subscribers)})

    @app.websocket("/ws")
    async def websocket(socket: WebSocket):
        if not authorized(socket.headers):
            await socket.close(1008)
            return
        await socket.accept()
        await socket.send_text(encode({"type": "initial_runs", "data": store.listing()}))
        subscribers.add(socket)
        try:
            while True:
                message = json.loads(await socket.receive_text())
                run = store.runs.get(message.get("run_id"))
                if message.get("action") == "ping":
                    answer = {"type": "pong"}
                elif message.get("action") != "subscribe_run" or run is None:
                    answer = {"type": "error", "message": "Unknown action or run"}
                else:
                    data = {**run, "steps": [lite(step) for step in run["steps"]]} if message.get("lite") else run
                    answer = {"type": "run_history", "run_id": message["run_id"], "data": data}
                await socket.send_text(encode(answer))
        except WebSocketDisconnect:
            pass
        finally:
            subscribers.discard(socket)
    return app


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--no-deflate", action="store_true")
    parser.add_argument("--orjson", action="store_true")
    parser.add_argument("--max-runs", type=int, default=10)
    parser.add_argument("--max-steps-per-run", type=int, default=1000)
    options = parser.parse_args()
    config = uvicorn.Config(
        application(options), host="127.0.0.1", port=options.port, loop="uvloop", http="httptools", ws="websockets",
        ssl_certfile=options.cert, ssl_keyfile=options.key, ws_per_message_deflate=not options.no_deflate,
        access_log=False, log_level="warning")
    server = uvicorn.Server(config)

    async def run():
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        print("ready", flush=True)
        await serving
    uvloop.run(run())


if __name__ == "__main__":
    main()
