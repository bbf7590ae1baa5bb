"""Ways of training in which a naive monitor measures something else, or breaks training: one test each.

This file is long because it holds one test for each trap, and they share their networks and helpers.
"""

from __future__ import annotations

import collections
import copy
import io
import math
import pickle
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from watched import Watched, squares, train_step


def small_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))


def norm(*tensors):
    return math.sqrt(sum(tensor.double().square().sum().item() for tensor in tensors))


def test_gradient_accumulation():
    """The optimizer's gradient is the sum over micro-batches, and outputs of all of them count."""
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    outputs = []
    for _ in range(3):
        inputs = torch.randn(5, 6)
        outputs.append(functional.linear(inputs, model[0].weight, model[0].bias).detach())
        squares(inputs)(model).backward()
    gradient = model[0].weight.grad.clone()
    optimizer.step()
    assert watched.value("0", "gradient_l2_norm") == pytest.approx(norm(gradient), rel=5e-6)
    assert watched.value("0", "activation_std") == pytest.approx(
        torch.cat(outputs).double().std(unbiased=False).item(), rel=1e-5)
    assert watched.last.scalars["gradient_clip_factor"] == 1.0
    watched.close()


def test_closure():
    """The gradient is there only after the closure that the optimizer calls."""
    model = small_model()
    inputs = torch.randn(5, 6)
    for optimizer in (torch.optim.SGD(model.parameters(), lr=0.1), torch.optim.LBFGS(model.parameters(), max_iter=4)):
        for keyword in (False, True):
            watched = Watched(model, optimizer)
            gradients = []

            def closure(optimizer=optimizer, gradients=gradients):
                optimizer.zero_grad()
                loss = squares(inputs)(model)
                loss.backward()
                gradients.append(model[0].weight.grad.clone())
                return loss

            before = model[0].weight.detach().clone()
            loss = optimizer.step(closure=closure) if keyword else optimizer.step(closure)
            assert loss is not None
            assert watched.value("0", "gradient_l2_norm") == pytest.approx(norm(gradients[0]), rel=5e-6)
            change = norm(model[0].weight.detach().double() - before.double())
            assert watched.value("0", "update_l2_norm") == pytest.approx(change, rel=5e-6)
            assert watched.steps == 1
            watched.close()


def test_clipping():
    """The optimizer gets clipped gradients; both norms and the factor are reported."""
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    (squares(torch.randn(5, 6))(model) * 100).backward()
    gradient = model[0].weight.grad.clone()
    total = nn.utils.clip_grad_norm_(model.parameters(), 0.5).item()
    clipped = model[0].weight.grad.clone()
    optimizer.step()
    assert watched.last.scalars["gradient_clip_factor"] == pytest.approx(0.5 / total, rel=1e-5)
    assert watched.value("0", "gradient_l2_norm") == pytest.approx(norm(gradient), rel=5e-6)
    assert watched.value("0", "gradient_clipped_l2_norm") == pytest.approx(norm(clipped), rel=5e-6)
    assert watched.value("0", "gradient_max_abs") == pytest.approx(gradient.abs().max().item(), rel=5e-6)
    watched.close()


def test_clipping_by_value_has_no_factor():
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    (squares(torch.randn(5, 6))(model) * 100).backward()
    nn.utils.clip_grad_value_(model.parameters(), 0.5)
    clipped = model[0].weight.grad.clone()
    optimizer.step()
    assert "gradient_clip_factor" not in watched.last.scalars
    assert watched.value("0", "gradient_l2_norm") == pytest.approx(norm(clipped), rel=5e-6)
    watched.close()


def scaled_step(fused, clip, overflow=False):
    """One step with a gradient scaler. Returns the watched model, and its unscaled gradient before clipping."""
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    watched = Watched(model, optimizer)
    loss = squares(torch.randn(5, 6))(model) * (math.inf if overflow else 1.0)
    scaler.scale(loss).backward()
    gradient = model[0].weight.grad / 1024.0
    if clip:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    scaler.step(optimizer)
    scaler.update()
    return watched, gradient


@pytest.mark.parametrize("clip", [None, 0.01])
@pytest.mark.parametrize("fused", [False, True])
def test_grad_scaler(fused, clip):
    """Gradients are reported without the loss scale, whoever removes it."""
    watched, gradient = scaled_step(fused, clip)
    assert watched.value("0", "gradient_l2_norm") == pytest.approx(norm(gradient), rel=5e-6)
    if clip:
        assert watched.last.scalars["gradient_clip_factor"] < 0.5
        assert watched.value("0", "gradient_clipped_l2_norm") < watched.value("0", "gradient_l2_norm") / 2
    else:
        assert watched.last.scalars["gradient_clip_factor"] == 1.0
    watched.close()


def test_grad_scaler_skips_a_step_of_a_fused_optimizer():
    watched, _ = scaled_step(True, None, overflow=True)
    assert watched.last.scalars["optimizer_skipped"] == 1.0
    assert watched.value("0", "update_l2_norm") == 0.0
    assert watched.value("0", "nonfinite_count") > 0
    watched.close()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    """Squares of half-precision numbers overflow at 256."""
    model = nn.Linear(300, 400).to(dtype)
    with torch.no_grad():
        model.weight.fill_(300.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watched = Watched(model, optimizer)
    train_step(model, optimizer, squares(torch.full((2, 300), 0.01, dtype=dtype)))
    assert watched.value("Linear", "weight_frobenius_norm") == pytest.approx(300.0 * math.sqrt(120_000), rel=5e-6)
    if dtype is torch.float16:
        assert watched.value("Linear", "overflow_fraction") == 0.0
        assert watched.value("Linear", "underflow_fraction") is not None
    watched.close()


def test_autocast():
    """Under autocast, measuring must not run in half precision."""
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    inputs = torch.randn(50, 6)
    with torch.autocast("cpu", torch.bfloat16):
        output = model[0](inputs).double()
        loss = squares(inputs)(model)
    loss.backward()
    optimizer.step()
    assert watched.value("0", "activation_std") == pytest.approx(output.std(unbiased=False).item(), rel=1e-5)
    watched.close()


def test_evaluation_between_steps():
    """Outputs in evaluation, without gradients, or of a copy (an average of weights) do not count."""
    model = small_model()
    average = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    average(torch.randn(5, 6) * 1000)
    model.eval()
    model(torch.randn(5, 6) * 1000)
    model.train()
    with torch.no_grad():
        model(torch.randn(5, 6) * 1000)
    inputs = torch.randn(5, 6)
    loss = squares(inputs)(model)
    copy.deepcopy(model)(torch.randn(5, 6) * 1000)  # the copy has the hooks of the running step
    output = model[0].weight.detach() @ inputs.T + model[0].bias.detach()[:, None]
    loss.backward()
    optimizer.step()
    assert watched.value("0", "activation_max") == pytest.approx(output.max().item(), rel=1e-6)
    assert watched.layer("0")["shape"] == [5, 8]
    watched.close()


def test_vmap():
    """Under functional transforms, outputs are wrappers, and nothing can be read from them."""
    model = nn.Sequential(nn.Linear(6, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    torch.func.vmap(model)(torch.randn(7, 5, 6) * 1000)
    train_step(model, optimizer, squares(torch.randn(5, 6)))
    assert watched.value("0", "activation_max") < 100
    watched.close()


def test_hooks_return_nothing():
    """A hook that returns a value replaces the output."""
    model = small_model()
    inputs = torch.randn(5, 6)
    expected = model(inputs)
    watched = Watched(model)
    assert torch.equal(model(inputs), expected)
    for module in model.modules():
        for hook in module._forward_hooks.values():
            assert hook(module, (inputs,), torch.randn(2, 2)) is None
    watched.close()


def test_exceptions_in_hooks():
    """An error of measuring disables that statistic of that layer, with one warning, and training goes on."""
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def broken(_module, _inputs, _output):
        raise RuntimeError("no such expert")

    watched = Watched(model, optimizer, functions={"0": broken}, strict=False)
    for _ in range(3):
        train_step(model, optimizer, squares(torch.randn(5, 6)))
    assert watched.warnings == ["watch: no activations of layer '0': RuntimeError: no such expert"]
    assert len(watched.reports) == 3
    assert watched.value("0", "gradient_l2_norm") > 0 and watched.value("2", "activation_std") > 0
    assert watched.value("0", "activation_std") is None
    watched.close()
    strict = Watched(model, optimizer, functions={"0": broken}, strict=True)
    with pytest.raises(RuntimeError, match="no such expert"):
        train_step(model, optimizer, squares(torch.randn(5, 6)))
    strict.close()


def test_an_error_of_the_sink_does_not_reach_training():
    from nnmonitor.watching import Watcher

    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    warned = []

    def sink(_report):
        raise OSError("disk full")

    watcher = Watcher(model, sink=sink, every=1, on_optimizer_step=lambda: None, warn=warned.append)
    for _ in range(2):
        train_step(model, optimizer, squares(torch.randn(5, 6)))
    assert len(warned) == 1 and "disk full" in warned[0]
    watcher.close()


def test_deepcopy_and_save():
    """A model with hooks can be copied, pickled and saved, also while a reported step runs."""
    model = small_model()
    optimizer = torch.optim.Adam(model.parameters())
    watched = Watched(model, optimizer)
    loss = squares(torch.randn(5, 6))(model)
    assert any(module._forward_hooks for module in model.modules())
    copied = copy.deepcopy(model)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    pickle.loads(pickle.dumps(optimizer))
    copy.deepcopy(optimizer)
    loss.backward()
    optimizer.step()
    for other in (copied, loaded):
        other(torch.randn(5, 6)).sum().backward()
    assert watched.value("0", "activation_std") > 0
    assert copy.deepcopy(watched.watcher) is watched.watcher
    watched.close()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert not any(parameter._post_accumulate_grad_hooks for parameter in model.parameters())


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing(reentrant):
    """Checkpointing calls layers again in the backward pass: each output counts once, and its checks still pass."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.block = nn.Linear(6, 8), nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))

        def forward(self, x):
            return checkpoint(self.block, self.first(x), use_reentrant=reentrant)

    torch.manual_seed(0)
    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    calls = []
    watched = Watched(model, optimizer, functions={"block.0": lambda m, i, o: calls.append(1) or {"calls": 1.0}})
    inputs = torch.randn(5, 6)
    with torch.no_grad():
        expected = model.block[0](model.first(inputs)).double()
    train_step(model, optimizer, squares(inputs))
    assert watched.value("block.0", "activation_std") == pytest.approx(expected.std(unbiased=False).item(), rel=1e-5)
    assert len(calls) == 1
    watched.close()


def test_in_place_activation_after_a_layer():
    """The kept output would be the rectified one."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(inplace=True), nn.Linear(8, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    inputs = torch.randn(5, 6)
    expected = functional.linear(inputs, model[0].weight, model[0].bias).min().item()
    train_step(model, optimizer, squares(inputs))
    assert watched.value("0", "activation_min") == pytest.approx(expected) and expected < 0
    watched.close()


def test_a_module_called_several_times():
    torch.manual_seed(0)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.shared = nn.Linear(6, 6)

        def forward(self, x):
            self.outputs = [self.shared(x)]
            self.outputs.append(self.shared(self.outputs[0] * 10))
            return self.outputs[1]

    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    train_step(model, optimizer, squares(torch.randn(5, 6)))
    values = torch.cat(model.outputs).detach().double()
    assert watched.value("shared", "activation_std") == pytest.approx(values.std(unbiased=False).item(), rel=1e-5)
    assert watched.value("shared", "activation_max") == values.max().item()
    watched.close()


def test_outputs_as_tuples_dictionaries_and_model_outputs():
    import dataclasses

    @dataclasses.dataclass
    class Output:
        ids: torch.Tensor
        hidden: torch.Tensor

    wraps = [
        lambda x: (x, None), lambda x: [torch.arange(3), x], lambda x: {"mask": None, "hidden": x},
        lambda x: collections.OrderedDict(logits=x), lambda x: Output(torch.arange(3), x), lambda x: ((x,), 3)]

    class Layer(nn.Linear):
        wrap = None

        def forward(self, x):
            return self.wrap(super().forward(x))

    for wrap in wraps:
        layer = Layer(6, 8)
        layer.wrap = wrap
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        watched = Watched(layer, optimizer)
        output = functional.linear(torch.ones(5, 6), layer.weight, layer.bias)
        layer(torch.ones(5, 6))
        output.sum().backward()
        optimizer.step()
        assert watched.value("Layer", "activation_max") == pytest.approx(output.max().item())
        watched.close()


def test_parameters_that_are_not_called_weight():
    """LSTM, MultiheadAttention, both kinds of weight normalisation, and parameters of the model itself."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(torch.randn(8))
            self.lstm = nn.LSTM(8, 8)
            self.attention = nn.MultiheadAttention(8, 2)
            self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(8, 8))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.old = nn.utils.weight_norm(nn.Linear(8, 8))

        def forward(self, x):
            x = self.lstm(x + self.token)[0]
            return self.old(self.normed(self.attention(x, x, x)[0]))

    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    train_step(model, optimizer, squares(torch.randn(4, 3, 8)))
    names = [layer["id"] for layer in watched.last.layers]
    assert names == ["Model", "lstm", "attention", "attention.out_proj", "normed", "old"]
    assert watched.layer("normed")["type"] == "Linear"
    assert sum(layer["parameters"] for layer in watched.last.layers) == sum(p.numel() for p in model.parameters())
    for name in names:
        assert watched.value(name, "gradient_l2_norm") > 0, name
    watched.close()


def test_tied_weights():
    """A shared parameter belongs to one layer, and is measured once."""
    embedding, head = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
    head.weight = embedding.weight
    model = nn.Sequential(embedding, head)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    train_step(model, optimizer, squares(torch.randint(10, (5,))))
    assert watched.value("0", "gradient_l2_norm") > 0 and watched.layer("0")["parameters"] == 40
    assert watched.value("1", "gradient_l2_norm") is None and watched.layer("1")["parameters"] == 0
    assert watched.value("1", "activation_std") > 0
    watched.close()


def test_wrappers_names_are_stripped():
    from nnmonitor.watching.structure import find_layers

    model = small_model()
    plain = [layer.id for layer in find_layers(model, None, None)]
    assert [layer.id for layer in find_layers(nn.DataParallel(model), None, None)] == plain
    assert [layer.id for layer in find_layers(torch.compile(model, backend="eager"), None, None)] == plain
    assert find_layers(nn.ModuleDict({"module": model}), None, None)[0].id == "module.0"


def test_transformer_encoder_in_evaluation_keeps_its_fast_path():
    """A hook on a module of the encoder ends the fast path, and with it the exact result."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
    model = nn.Sequential(nn.Linear(8, 16), nn.TransformerEncoder(layer, 2, enable_nested_tensor=False))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    for _ in range(2):
        train_step(model, optimizer, squares(torch.randn(3, 5, 8)))
        model.eval()
        with torch.no_grad():
            model(torch.randn(3, 5, 8))
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model[1].modules())
        model.train()
    assert watched.value("1.layers.0.linear1", "activation_std") > 0
    watched.close()


def test_a_model_whose_modules_are_called_alone():
    """Where training never calls the model itself, outputs are seen from the second report on."""
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    for _ in range(3):
        train_step(model, optimizer, lambda m: m[2](m[0](torch.randn(5, 6)).relu()).square().mean())
    assert watched.value("0", "activation_std", 0) is None
    assert watched.value("0", "activation_std", 2) > 0
    watched.close()


def test_two_optimizers():
    """Each optimizer's step reads the gradients of its own parameters: the others' are stale."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"generator": nn.Linear(4, 4), "critic": nn.Linear(4, 1)})
    optimizers = {name: torch.optim.SGD(part.parameters(), lr=0.1) for name, part in model.items()}
    watched = Watched(model, every=2)
    reported = []
    for step in range(5):
        norms = {}
        for name in ("critic", "generator"):
            optimizers[name].zero_grad()
            model["critic"](model["generator"](torch.randn(8, 4))).square().mean().backward()
            norms[name] = norm(model[name].weight.grad)
            optimizers[name].step()
        assert watched.steps == step + 1
        if step and step % 2 == 0:
            reported.append(step)
            for name, expected in norms.items():
                assert watched.value(name, "gradient_l2_norm") == pytest.approx(expected, rel=5e-6)
                assert watched.value(name, "update_l2_norm") == pytest.approx(0.1 * expected, rel=1e-4)
    assert len(watched.reports) == 3
    watched.close()


def test_several_steps_of_one_optimizer_for_each_of_another():
    model = nn.ModuleDict({"generator": nn.Linear(4, 4), "critic": nn.Linear(4, 1)})
    optimizers = {name: torch.optim.SGD(part.parameters(), lr=0.1) for name, part in model.items()}
    watched = Watched(model)
    seen = set()
    for _ in range(6):
        for name in ("critic", "critic", "critic", "generator"):
            optimizers[name].zero_grad()
            model["critic"](model["generator"](torch.randn(8, 4))).square().mean().backward()
            optimizers[name].step()
            seen.update(
                layer for layer in ("critic", "generator")
                if watched.reports and watched.value(layer, "gradient_l2_norm") is not None)
    assert seen == {"critic", "generator"}
    assert len(watched.reports) >= 6
    watched.close()


def test_a_foreign_optimizer_is_ignored():
    model, other = small_model(), nn.Linear(3, 3)
    watched = Watched(model)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    for _ in range(3):
        train_step(other, optimizer, squares(torch.randn(2, 3)))
    watched.close()
    assert watched.steps == 0 and not watched.reports


def test_sparse_gradients():
    dense, sparse = nn.Embedding(100, 8), nn.Embedding(100, 8, sparse=True)
    sparse.load_state_dict(dense.state_dict())
    ids = torch.tensor([3, 3, 7, 9])
    values = []
    for embedding in (dense, sparse):
        optimizer = torch.optim.SGD(embedding.parameters(), lr=0.1)
        watched = Watched(embedding, optimizer, histograms=True)
        train_step(embedding, optimizer, squares(ids))
        names = ("gradient_l2_norm", "gradient_std", "gradient_mean", "gradient_min", "gradient_max")
        values.append([watched.value("Embedding", name) for name in names])
        watched.close()
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_empty_complex_and_float8_tensors():
    """They are left out, with a reason; the other layers are reported."""

    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 4)
            self.complex = nn.Linear(4, 4).to(torch.complex64)
            self.empty = nn.Linear(0, 4, bias=False)
            if hasattr(torch, "float8_e4m3fn"):
                self.small = nn.Module()
                self.small.weight = nn.Parameter(torch.randn(4, 4).to(torch.float8_e4m3fn), requires_grad=False)

        def forward(self, x):
            x = self.linear(x) + self.empty(x[:, :0])
            return self.complex(x.to(torch.complex64)).real

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Odd()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer, histograms=True)
    for _ in range(2):
        train_step(model, optimizer, squares(torch.randn(3, 4)))
    assert watched.value("linear", "gradient_l2_norm") > 0
    assert watched.value("complex", "weight_std") is None
    assert "watch: no weights of layer 'complex': its dtype is complex64" in watched.warnings
    assert len(watched.warnings) == len(set(watched.warnings))
    watched.close()


def test_channels_last():
    torch.manual_seed(0)
    model = nn.Conv2d(8, 16, 3).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    inputs = torch.randn(2, 8, 9, 9).to(memory_format=torch.channels_last)
    output = model(inputs).detach().double()
    before = model.weight.detach().clone()
    train_step(model, optimizer, squares(inputs))
    assert not before.is_contiguous()
    assert watched.value("Conv2d", "weight_frobenius_norm") == pytest.approx(norm(before), rel=5e-6)
    assert watched.value("Conv2d", "activation_std") == pytest.approx(output.std(unbiased=False).item(), rel=1e-5)
    change = norm(model.weight.detach().double() - before.double())
    assert watched.value("Conv2d", "update_l2_norm") == pytest.approx(change, rel=5e-6)
    watched.close()


def test_nan_in_weights_is_reported_and_training_goes_on():
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer, histograms=True)
    train_step(model, optimizer, squares(torch.randn(5, 6)))
    with torch.no_grad():
        model[0].weight[0, 0] = math.nan
        model[2].weight[0, 0] = math.inf
    for _ in range(2):
        train_step(model, optimizer, squares(torch.randn(5, 6)))
    for metric in ("weight_std", "weight_frobenius_norm", "weight_spectral_norm", "weight_max", "gradient_l2_norm"):
        assert math.isnan(watched.value("0", metric)), metric
    assert watched.value("0", "nonfinite_count") >= 1
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    train_step(model, optimizer, squares(torch.randn(5, 6)))
    reference = torch.linalg.matrix_norm(model[0].weight.detach(), 2).item()
    assert watched.value("0", "weight_spectral_norm") == pytest.approx(reference, rel=0.5)
    watched.close()


def test_lazy_modules():
    model = nn.Sequential(nn.LazyLinear(8), nn.LazyLinear(4))
    watched = Watched(model)
    model(torch.randn(5, 6))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train_step(model, optimizer, squares(torch.randn(5, 6)))
    assert watched.layer("0")["parameters"] == 56 and watched.value("0", "gradient_l2_norm") > 0
    watched.close()


def test_a_parameter_that_is_replaced_or_tied_between_reports_is_measured():
    model = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watched = Watched(model, optimizer)
    for change in (
            lambda: None, lambda: setattr(model[0], "weight", nn.Parameter(torch.full((6, 6), 3.0))),
            lambda: setattr(model[1], "weight", model[0].weight)):
        change()
        train_step(model, optimizer, squares(torch.randn(5, 6)))
        assert watched.value("0", "weight_max") == model[0].weight.max().item()
    # A tied parameter belongs to the first layer that has it.
    assert watched.value("1", "weight_max") is None and watched.value("1", "bias_std") is not None
    watched.close()


def test_layer_patterns_and_kinds():
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for arguments, layers, present, absent in (
            ({"layers": "0"}, ["0"], "weight_std", "no"), ({"layers": ["[02]", "!0"]}, ["2"], "weight_std", "no"),
            ({"log": "gradients"}, ["0", "2"], "gradient_std", "weight_std"),
            ({"log": "parameters"}, ["0", "2"], "update_ratio", "gradient_std"),
            ({"log": "activations"}, ["0", "2"], "activation_std", "gradient_std")):
        watched = Watched(model, optimizer, **arguments)
        train_step(model, optimizer, squares(torch.randn(5, 6)))
        assert [layer["id"] for layer in watched.last.layers] == layers
        assert present in watched.last.metrics and absent not in watched.last.metrics
        watched.close()


@pytest.mark.parametrize("arguments", [{"log": "everything"}, {"every": 0}, {"every": "often"}, {"optimizer": 3}])
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(ValueError):
        Watched(small_model(), **arguments)
