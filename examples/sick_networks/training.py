"""The training loop of all cases, and what a case is."""

from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import torch
from torch import nn

from sick_networks.data import batches


@dataclass
class Training:
    """A network, its optimizer, and how they are trained.

    Attributes:
        steps: number of optimizer steps.
        every: `watch` reports the layers at every so many of them; loss and learning rate are logged at each.
        examples: the number of training images; None for all.
        loss: of the model, inputs and labels.
        schedule: a learning rate scheduler.
        clip: the bound of the gradient's norm.
        fault: called before each step from the fault's on, with the step, inputs and labels; returns inputs and labels.
        after: called after each optimizer step from the fault's on.
        scaler: a loss scaler; the forward pass then runs in half precision. The optimizer is a fused one, for which the
            client knows the scale and which steps are skipped.
        functions: statistics of this model's own, for `watch`.
        config: what a user would post as the run's configuration.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    steps: int = 200
    every: int = 1
    batch: int = 64
    examples: Optional[int] = None
    loss: Callable[..., torch.Tensor] = field(
        default=lambda model, inputs, labels: nn.functional.cross_entropy(model(inputs), labels))
    schedule: Optional[torch.optim.lr_scheduler.LRScheduler] = None
    clip: Optional[float] = None
    fault: Optional[Callable[..., Any]] = None
    after: Optional[Callable[[int], None]] = None
    scaler: Any = None
    functions: Optional[dict] = None
    config: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A network with its fault, or a healthy one.

    Attributes:
        make: builds the training; called with the random generators seeded.
        fault: the first step whose report shows the fault; None if the network is healthy.
        rules: the findings of which at least one must be raised.
        layers: the layers of which one must be named as origin; empty if the finding is about the run.
    """

    name: str
    make: Callable[[], Training]
    fault: Optional[int] = None
    rules: tuple = ()
    layers: tuple = ()

    @property
    def sick(self):
        return self.fault is not None


def train(case, seed, run):
    """Trains the case; `run` is the client's run, which reports it. The result depends on the seed alone."""
    torch.manual_seed(seed)
    training = case.make()
    run.config.update({"case": case.name, "seed": seed, **training.config})
    run.watch(training.model, training.optimizer, every=training.every, functions=training.functions)
    source = batches(seed, training.batch, training.examples)
    for step in range(training.steps):
        inputs, labels = next(source)
        faulty = case.sick and step >= case.fault
        if faulty and training.fault:
            inputs, labels = training.fault(step, inputs, labels)
        rate = max(group["lr"] for group in training.optimizer.param_groups)
        loss, norm = _step(training, inputs, labels)
        if faulty and training.after:
            training.after(step)
        run.log({"train/loss": loss, "lr": rate, "grad_norm": norm}, step=step)
    return training.model


def _step(training, inputs, labels):
    """One optimizer step; returns the loss and the norm of the gradient before clipping."""
    training.optimizer.zero_grad()
    scaler = training.scaler
    with torch.autocast("cpu", torch.float16, enabled=scaler is not None):
        loss = training.loss(training.model, inputs, labels)
    (loss if scaler is None else scaler.scale(loss)).backward()
    trained = [parameter for parameter in training.model.parameters() if parameter.grad is not None]
    if training.clip is not None:
        norm = nn.utils.clip_grad_norm_(trained, training.clip)
    else:
        norm = torch.linalg.vector_norm(torch.stack([parameter.grad.norm() for parameter in trained]))
    if scaler is None:
        training.optimizer.step()
    else:
        norm = norm / scaler.get_scale()
        scaler.step(training.optimizer)
        scaler.update()
    if training.schedule is not None:
        training.schedule.step()
    return loss.item(), norm.item()
