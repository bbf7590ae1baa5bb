"""Writes what the client measured during a training to a file, one step a line, as `POST /api/v2/runs/{run}/steps`
takes it, and an index of all files."""

import gzip
import json
import logging
import tempfile
from pathlib import Path

import nnmonitor as nnm
import torch
from nnmonitor.spooling.joining import Joiner, Position
from nnmonitor.spooling.segments import segments
from nnmonitor.spooling.values import decode_raw, rounded_step, rounding

from sick_networks.training import train

#: What the health rules read; other statistics are left out of the files.
METRICS = {
    "activation_std", "gradient_l2_norm", "weight_std", "weight_mean", "weight_spectral_norm",
    "weight_frobenius_norm", "update_ratio", "dead_fraction", "saturated_fraction", "underflow_fraction",
    "overflow_fraction", "attention_entropy", "attention_max_logit",
}
HALF_PRECISION = {"activation_max_abs", "gradient_max_abs"}
VECTORS = {"router_load"}


def measure(case, seed, digits):
    """Trains a case without a server; returns the run's configuration and its steps, with so many digits."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    with tempfile.TemporaryDirectory() as folder:
        run = nnm.init(
            project="sick networks", name=case.name, id=f"{case.name}-{seed}", mode="offline", dir=folder, strict=True)
        try:
            train(case, seed, run)
            config = dict(run.config)
        finally:
            nnm.finish()
        return config, _spooled(run.directory, rounding(digits))


def _spooled(directory, near):
    """The steps in the spool of an offline run."""
    joiner, nowhere, events = Joiner(), Position(0, 0), []
    for path in segments(directory).values():
        with path.open("rb") as lines:
            for line in lines:
                events += joiner.add(decode_raw(line), nowhere, nowhere)
    events += joiner.finish()
    return [rounded_step(event.body, near) for event in events if event.kind == "step"]


def reduced(step, number, names):
    """The step with these metrics; `time` is the step's number in seconds, so that files are the same again."""
    made = {"step": step["step"], "time": 1_800_000_000 + number, "scalars": step["scalars"]}
    if "layers" in step:
        kept = {name: column for name, column in step["metrics"].items() if name in names}
        described = [
            {key: layer[key] for key in ("id", "type", "depth", "parameters", "trainable") if key in layer}
            for layer in step["layers"]]
        made.update(layers=described, metrics=kept)
    vectors = {name: values for name, values in step.get("vectors", {}).items() if name in VECTORS}
    if vectors:
        made["vectors"] = vectors
    return made


def record(cases, seeds, folder, untouched=(), digits=5, everything=False):
    """Records each case with each seed, and adds the files to `index.json` beside them.

    Args:
        untouched: of the seeds, those that are never looked at while thresholds are chosen.
        everything: keep all statistics.
    """
    logging.getLogger("nnmonitor").setLevel(logging.ERROR)  # No line about each spool, which is removed at once.
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.json"
    index = json.loads(path.read_text()) if path.exists() else {}
    for case in cases:
        for seed in seeds:
            config, steps = measure(case, seed, digits)
            if not everything:
                names = METRICS | HALF_PRECISION if "16" in config.get("precision", "") else METRICS
                steps = [reduced(step, number, names) for number, step in enumerate(steps)]
            name = f"{case.name}-{seed}"
            lines = "".join(json.dumps(step, separators=(",", ":")) + "\n" for step in steps)
            # Without a time in the header, the same lines give the same bytes.
            (folder / f"{name}.ndjson.gz").write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
            index[name] = {
                "case": case.name, "seed": seed, "use": "untouched" if seed in untouched else "tuning",
                "sick": case.sick, "fault": case.fault, "rules": list(case.rules), "layers": list(case.layers),
                "steps": len(steps), "config": config,
                "command": f"python examples/sick_networks.py {case.name} --seeds {seed} --record DIR"}
            print(f"{name}: {len(steps)} steps, loss {steps[0]['scalars']['train/loss']} to "
                  f"{steps[-1]['scalars']['train/loss']}", flush=True)
        path.write_text(json.dumps(dict(sorted(index.items())), indent=1) + "\n")
