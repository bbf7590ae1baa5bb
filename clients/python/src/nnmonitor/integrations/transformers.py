"""A callback for Hugging Face's `Trainer`.

    Trainer(..., callbacks=[NNMonitorCallback(project="gpt")])
"""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

import nnmonitor

#: Keys of `Trainer.log` and the names under which the server knows such scalars.
_NAMES = {"loss": "train/loss", "grad_norm": "train/grad_norm", "learning_rate": "train/learning_rate"}


class NNMonitorCallback(TrainerCallback):
    """Logs the metrics of the `Trainer`, and watches the model.

    Args:
        watch: whether to report layer statistics.
        options: arguments of `nnmonitor.init`.
    """

    def __init__(self, watch: bool = True, **options: Any) -> None:
        self._watch = watch
        self._options = options
        self._run: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **more: Any) -> None:
        """Begins the run, on the process that logs."""
        if not state.is_world_process_zero:
            return
        options = {"name": getattr(args, "run_name", None), "config": args.to_dict(), **self._options}
        if state.global_step:
            options.setdefault("step", state.global_step)
        self._run = nnmonitor.init(**options)
        if model is not None and hasattr(model, "config"):
            self._run.config.update({"model": model.config})
        if self._watch and model is not None:
            self._run.watch(model)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        """Logs scalars at the trainer's step."""
        if self._run is not None and logs:
            scalars = {
                _NAMES.get(name, name.replace("eval_", "eval/", 1) if name.startswith("eval_") else name): value
                for name, value in logs.items()
                if isinstance(value, (int, float))
            }
            self._run.log(scalars, step=state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Removes the hooks. The run stays open for an evaluation, and ends with the process or `nnmonitor.finish`."""
        if self._run is not None:
            self._run.unwatch()
