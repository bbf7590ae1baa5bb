"""TensorBoard and Trackio with the same run as NNMonitor: each writes its own files, and serves them."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

from Support.servers import processes
from Support.servers.ports import free_port

PROGRAMS = Path(sys.executable).parent
#: Steps in one write to Trackio.
BATCH = 500


def names(run):
    """The name of each number of a step, in the order of `numbers`: NNMonitor's metric below the layer."""
    return [f"{layer['id']}/{metric}" for metric in run.columns[0] for layer in run.layers]


def numbers(run, step):
    return [value for column in run.columns[step % len(run.columns)].values() for value in column]


class TensorBoard:
    name = "TensorBoard"
    #: Holds once the first chart has its axis.
    picture = "document.querySelector('line-chart-axis text') !== null"

    def write(self, run, folder):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(str(folder / run.name))
        tags = names(run)
        for step in range(run.steps):
            values = [Summary.Value(tag=tag, simple_value=number) for tag, number in zip(tags, numbers(run, step))]
            writer.add_event(Event(step=step, wall_time=1_770_000_000.5 + step, summary=Summary(value=values)))
        writer.close()

    @contextlib.contextmanager
    def serve(self, run, folder):
        port = free_port()
        command = [PROGRAMS / "tensorboard", "--logdir", folder, "--port", str(port), "--reload_interval", "1"]
        with running(command, folder):
            url = f"http://127.0.0.1:{port}"
            query = urllib.parse.urlencode({"run": run.name, "tag": names(run)[-1]})
            wait_for(lambda: read(f"{url}/data/plugin/scalars/scalars?{query}")[-1][1] == run.steps - 1)
            yield f"{url}/"


class Trackio:
    name = "Trackio"
    #: Holds once the first chart has its canvas.
    picture = "document.querySelector('.plot-container canvas, .vega-embed canvas, canvas.marks') !== null"

    def write(self, run, folder):
        program = "import sys; sys.path[:0] = %r; from peers import store; store(*%r)" % (
            [path for path in sys.path if path], (run.name, run.steps, len(run.layers)))
        subprocess.run([sys.executable, "-c", program], env=trackio_environment(folder), check=True)

    @contextlib.contextmanager
    def serve(self, run, folder):
        port = free_port()
        environment = trackio_environment(folder) | {"GRADIO_SERVER_PORT": str(port), "BROWSER": "true"}
        with running([PROGRAMS / "trackio", "show", "--project", run.name], folder, environment):
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: urllib.request.urlopen(url, timeout=10).status == 200)
            yield f"{url}/?project={run.name}"


def store(name, steps, layers):
    """Writes a run into Trackio's database, in a process whose environment names its folder."""
    from big_runs import BigRun
    from trackio.sqlite_storage import SQLiteStorage

    run = BigRun(name, steps, layers)
    keys = names(run)
    for start in range(0, steps, BATCH):
        chosen = range(start, min(steps, start + BATCH))
        rows = [dict(zip(keys, numbers(run, step))) for step in chosen]
        SQLiteStorage.bulk_log(name, name, rows, steps=list(chosen))


def trackio_environment(folder):
    return {**os.environ, "TRACKIO_DIR": str(folder), "TRACKIO_USER_HOME": str(folder)}


@contextlib.contextmanager
def running(command, folder, environment=None):
    with (folder / "peer.log").open("wb") as log:
        process = processes.start([str(part) for part in command], env=environment, stdout=log,
                                  stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()


def read(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def wait_for(holds, seconds=600):
    """Waits until `holds()` is true; errors mean that it does not hold yet."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, ValueError, LookupError):
            if holds():
                return
        if time.monotonic() > deadline:
            raise TimeoutError("the peer does not show the run")
        time.sleep(0.5)


PEERS = (TensorBoard(), Trackio())
