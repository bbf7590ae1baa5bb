"""Trainers that drive the optimizer in their own ways."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch import nn
from watched import Watched

# Clipping to this norm leaves the gradients of the test far below their own norm.
CLIP = 0.01


def norm(tensor):
    return math.sqrt(tensor.double().square().sum().item())


@pytest.mark.filterwarnings("ignore")
def test_lightning(tmp_path):
    """Lightning always passes a closure, and clips inside it."""
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
            self.unclipped, self.clipped = [], []

        def training_step(self, batch, _index):
            return self.net(batch).square().mean()

        def on_after_backward(self):
            self.unclipped.append(norm(self.net[0].weight.grad))

        def configure_gradient_clipping(self, optimizer, gradient_clip_val=None, gradient_clip_algorithm=None):
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
            self.clipped.append(norm(self.net[0].weight.grad))

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), 1e-2)

    module = Module()
    watched = Watched(module)
    data = torch.utils.data.DataLoader(torch.randn(20, 6), batch_size=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu",
            enable_model_summary=False, gradient_clip_val=CLIP, default_root_dir=tmp_path)
        trainer.fit(module, data)
    assert watched.steps == 5 and len(watched.reports) == 5 and not watched.warnings
    for index, (unclipped, clipped) in enumerate(zip(module.unclipped, module.clipped)):
        assert watched.value("net.0", "gradient_l2_norm", index) == pytest.approx(unclipped, rel=1e-5)
        assert watched.value("net.0", "gradient_clipped_l2_norm", index) == pytest.approx(clipped, rel=5e-6)
    # Lightning calls `training_step`, not the model itself; outputs are seen from the second report on.
    assert watched.value("net.0", "activation_std") > 0
    watched.close()


@pytest.mark.filterwarnings("ignore")
def test_transformers(tmp_path):
    """The trainer of transformers clips, accumulates, and wraps the optimizer."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    config = transformers.GPT2Config(
        n_layer=2, n_head=2, n_embd=16, vocab_size=50, n_positions=16, attn_implementation="eager")
    model = transformers.GPT2LMHeadModel(config)
    watched = Watched(model)
    rows = [{"input_ids": torch.randint(50, (16,)), "labels": torch.randint(50, (16,))} for _ in range(16)]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=1, per_device_train_batch_size=2, gradient_accumulation_steps=2,
        max_grad_norm=CLIP, report_to=[], use_cpu=True, save_strategy="no", disable_tqdm=True)
    transformers.Trainer(model, arguments, train_dataset=rows).train()
    assert watched.steps == 4 and len(watched.reports) == 4
    assert 0.0 < watched.last.scalars["gradient_clip_factor"] < 1.0
    name = "transformer.h.0.mlp.c_fc"
    ratio = watched.value(name, "gradient_clipped_l2_norm") / watched.value(name, "gradient_l2_norm")
    assert ratio == pytest.approx(watched.last.scalars["gradient_clip_factor"], rel=1e-5)
    assert watched.layer(name)["group"] == "transformer.h.0"
    assert watched.value(name, "activation_std") > 0
    watched.close()
