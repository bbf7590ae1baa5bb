"""Every statistic against a double-precision reference from the raw tensors.

Tolerances: norms and updates 5e-6 relative, sums and deviations 2e-5 of the norm's size, minimum and maximum exact,
spectral norms 0.5 % from the first report on.

This file is long because it has one reference for each kind of layer.
"""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from watched import Watched, squares, train_step

NORM, SUM, SPECTRAL = 5e-6, 2e-5, 5e-3


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(50, 32)
        self.head = nn.Linear(32, 50, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        return self.head(self.tokens(ids))


class Attention(nn.Module):
    def __init__(self, **arguments) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(32, 4, batch_first=True, **arguments)

    def forward(self, x):
        return self.inner(x, x, x)


def encoder():
    layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


CASES = {
    "linear": lambda: (nn.Sequential(nn.Linear(300, 500), nn.Linear(500, 7)), torch.randn(64, 300)),
    "large linear": lambda: (nn.Linear(700, 900), torch.randn(300, 700)),
    "conv1d": lambda: (nn.Conv1d(8, 24, 5), torch.randn(4, 8, 100)),
    "conv2d": lambda: (nn.Conv2d(8, 24, 3), torch.randn(4, 8, 20, 20)),
    "conv3d": lambda: (nn.Conv3d(3, 9, 3), torch.randn(2, 3, 9, 9, 9)),
    "conv transpose 1d": lambda: (nn.ConvTranspose1d(8, 24, 5), torch.randn(4, 8, 50)),
    "conv transpose 2d": lambda: (nn.ConvTranspose2d(8, 24, 3), torch.randn(4, 8, 10, 10)),
    "conv transpose 3d": lambda: (nn.ConvTranspose3d(3, 6, 3), torch.randn(2, 3, 5, 5, 5)),
    "grouped conv transpose 2d": lambda: (nn.ConvTranspose2d(8, 24, 3, groups=2), torch.randn(4, 8, 10, 10)),
    "embedding": lambda: (nn.Embedding(1000, 64), torch.randint(1000, (8, 20))),
    "layer norm": lambda: (nn.LayerNorm(512), torch.randn(64, 512)),
    "batch norm": lambda: (nn.BatchNorm2d(16), torch.randn(8, 16, 12, 12)),
    "batch norm 1d": lambda: (nn.Sequential(nn.Linear(9, 16), nn.BatchNorm1d(16)), torch.randn(8, 9)),
    "lstm": lambda: (nn.LSTM(20, 48, 2, batch_first=True), torch.randn(8, 15, 20)),
    "gru": lambda: (nn.GRU(20, 48, bidirectional=True), torch.randn(8, 15, 20)),
    "attention": lambda: (Attention(), torch.randn(4, 10, 32)),
    "encoder": lambda: (encoder(), torch.randn(4, 10, 32)),
    "tied": lambda: (Tied(), torch.randint(50, (4, 12))),
    "bias only": lambda: (nn.Sequential(nn.Linear(9, 9), Shift()), torch.randn(5, 9)),
    "large mean": lambda: (Shifted(1000.0), torch.randn(40, 500)),
    "huge values": lambda: (Scaled(1e25), torch.randn(40, 500)),
    "vanishing values": lambda: (Scaled(1e-25), torch.randn(40, 500)),
}


BEYOND_HALF = ("large mean", "huge values", "vanishing values")


class Shift(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.randn(9))

    def forward(self, x):
        return x + self.bias


class Shifted(nn.Module):
    """Outputs and weights with a mean far from zero."""

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(500) + mean)

    def forward(self, x):
        return x + self.weight


class Scaled(nn.Module):
    """Squares of these outputs and weights leave single precision."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.lr = 0.05 if scale > 1.0 else 0.0
        self.weight = nn.Parameter(torch.randn(60, 500) * scale)

    def forward(self, x):
        return functional.linear(x, self.weight / self.scale) * self.scale

    @staticmethod
    def loss(model, x):
        return (model(x) / model.scale).square().mean()


def matrix_of(module, name, tensor):
    if isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        tensor = tensor.transpose(0, 1)
    return tensor.flatten(1)


def check_spread(watched, layer, prefix, tensors, absent=()):
    values = torch.cat([tensor.double().reshape(-1) for tensor in tensors])
    rms = values.square().mean().sqrt().item()
    assert watched.value(layer, f"{prefix}_mean") == pytest.approx(values.mean().item(), abs=SUM * rms)
    std = values.std(unbiased=False).item()
    assert watched.value(layer, f"{prefix}_std") == pytest.approx(std, rel=1e-5, abs=1e-7 * rms)
    assert watched.value(layer, f"{prefix}_min") == values.min().item()
    assert watched.value(layer, f"{prefix}_max") == values.max().item()
    assert watched.value(layer, f"{prefix}_max_abs") == values.abs().max().item()


def check_step(watched, model, modules, before, gradients, after, outputs):
    """Compares the last report with the raw tensors of the step."""
    seen = set()
    for layer, module in modules.items():
        names = [name for name, parameter in module._parameters.items() if parameter is not None]
        names = [name for name in names if id(module._parameters[name]) not in seen]
        seen.update(id(module._parameters[name]) for name in names)
        weights = [name for name in names if "bias" not in name]
        biases = [name for name in names if "bias" in name]
        key = {name: id(module._parameters[name]) for name in names}
        if weights:
            tensors = [before[key[name]] for name in weights]
            check_spread(watched, layer, "weight", tensors)
            norm = math.sqrt(sum(tensor.double().square().sum().item() for tensor in tensors))
            assert watched.value(layer, "weight_frobenius_norm") == pytest.approx(norm, rel=NORM)
            spectral = [
                torch.linalg.matrix_norm(matrix_of(module, name, before[key[name]].double()), 2).item()
                for name in weights if before[key[name]].dim() > 1]
            if spectral:
                assert watched.value(layer, "weight_spectral_norm") == pytest.approx(max(spectral), rel=SPECTRAL)
                assert watched.value(layer, "weight_spectral_norm") <= norm * 1.001
            else:
                assert watched.value(layer, "weight_spectral_norm") is None
        if biases:
            values = torch.cat([before[key[name]].double().reshape(-1) for name in biases])
            assert watched.value(layer, "bias_mean_abs") == pytest.approx(values.abs().mean().item(), rel=NORM)
            std = values.std(unbiased=False).item()
            assert watched.value(layer, "bias_std") == pytest.approx(std, rel=1e-5, abs=1e-9)
        primary = weights or biases
        if primary:
            check_spread(watched, layer, "gradient", [gradients[key[name]] for name in primary])
            norm = math.sqrt(sum(gradients[key[name]].double().square().sum().item() for name in primary))
            assert watched.value(layer, "gradient_l2_norm") == pytest.approx(norm, rel=NORM)
            changes = [after[key[name]].double() - before[key[name]].double() for name in primary]
            change = math.sqrt(sum(tensor.square().sum().item() for tensor in changes))
            assert watched.value(layer, "update_l2_norm") == pytest.approx(change, rel=NORM, abs=1e-300)
            base = math.sqrt(sum(before[key[name]].double().square().sum().item() for name in primary))
            if base:
                assert watched.value(layer, "update_ratio") == pytest.approx(change / base, rel=2 * NORM)
        if layer in outputs:
            check_spread(watched, layer, "activation", outputs[layer])
            assert watched.layer(layer)["shape"] == list(outputs[layer][-1].shape)
            rms = torch.cat([output.double().reshape(-1) for output in outputs[layer]]).square().mean().sqrt().item()
            assert watched.value(layer, "activation_rms") == pytest.approx(rms, rel=NORM)
        assert watched.value(layer, "nonfinite_count") == 0


def raw(model):
    return {id(parameter): parameter.detach().clone() for parameter in model.parameters()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("case", CASES)
def test_statistics_equal_references(case, dtype):
    if dtype in (torch.float16, torch.bfloat16) and case in BEYOND_HALF:
        pytest.skip("half precision does not hold these values")
    torch.manual_seed(0)
    model, inputs = CASES[case]()
    model.to(dtype)
    inputs = inputs.to(dtype) if inputs.is_floating_point() else inputs
    optimizer = torch.optim.SGD(model.parameters(), lr=getattr(model, "lr", 0.05))
    outputs = {}
    modules = {name or type(model).__name__: module for name, module in model.named_modules()}
    modules = {name: module for name, module in modules.items() if any(True for _ in module.parameters(recurse=False))}
    for name, module in modules.items():
        def keep(_module, _inputs, output, name=name):
            output = output if isinstance(output, torch.Tensor) else output[0]
            outputs.setdefault(name, []).append(output.detach().clone())

        module.register_forward_hook(keep)
    watched = Watched(model, optimizer)
    for _ in range(3):
        outputs.clear()
        before = raw(model)
        optimizer.zero_grad()
        loss = model.loss(model, inputs) if hasattr(model, "loss") else squares(inputs)(model)
        loss.backward()
        gradients = {id(parameter): parameter.grad.clone() for parameter in model.parameters()}
        optimizer.step()
        check_step(watched, model, modules, before, gradients, raw(model), outputs)
    assert len(watched.reports) == 3 and not watched.warnings
    watched.close()


@pytest.mark.parametrize("lr", [3e-3, 3e-4])
def test_spectral_norms_hold_while_weights_change(lr):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(256, 256), nn.Tanh(), nn.Linear(256, 1024), nn.Tanh(), nn.Linear(1024, 300))
    nn.init.orthogonal_(model[0].weight)
    nn.init.orthogonal_(model[4].weight)
    inputs, targets = torch.randn(64, 256), torch.randn(64, 300)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    watched = Watched(model, optimizer, log="parameters")
    for _ in range(30):
        references = {
            name: torch.linalg.matrix_norm(module.weight.detach().double(), 2).item()
            for name, module in model.named_children() if hasattr(module, "weight")}
        train_step(model, optimizer, lambda m: functional.mse_loss(m(inputs), targets))
        for name, reference in references.items():
            assert watched.value(name, "weight_spectral_norm") == pytest.approx(reference, rel=SPECTRAL)
    watched.close()


@pytest.mark.parametrize("matrix", [
    torch.zeros(8, 8), torch.ones(300, 300), torch.eye(300), torch.randn(1, 7), torch.randn(7, 1),
    torch.randn(30_000, 4), torch.diag(torch.tensor([1.0, 1.0, 0.5]))])
def test_spectral_norm_of_special_matrices(matrix):
    from nnmonitor.watching.numerics.spectral import SpectralNorms

    norms = SpectralNorms()
    reference = torch.linalg.matrix_norm(matrix.double(), 2).item()
    for _ in range(4):
        norms.begin()
        together = norms.measure([("w", matrix), ("same", matrix)])
        assert together["w"] == pytest.approx(reference, rel=SPECTRAL)
        assert together["same"] == pytest.approx(reference, rel=SPECTRAL)
        at_once = norms.measure_at_once("w", matrix)
        assert at_once is None or at_once == pytest.approx(reference, rel=SPECTRAL)
    assert (at_once is None) == (matrix.numel() <= 16_384)


def test_an_accelerators_reductions_equal_those_of_a_cpu():
    from nnmonitor.watching.numerics.reduction import Reducer
    from nnmonitor.watching.numerics.transfer import Transfer

    torch.manual_seed(0)
    tensors = [torch.randn(size) * 3 + 1 for size in (5, 5, 5000, 100_000)] + [torch.tensor([1.0, math.inf, 2.0])]
    transfer = Transfer()
    host, device = Reducer(transfer), Reducer(transfer, at_once=False)
    for index, tensor in enumerate(tensors):
        host.add(index, tensor, absolute=True)
        device.add(index, tensor, absolute=True)
    host.finish()
    device.finish()
    assert 0 not in device.moments
    transfer.run()
    for index in range(len(tensors)):
        one, other = host.moments[index], device.moments[index]
        assert (one.count, one.low, one.high, one.nonfinite) == (other.count, other.low, other.high, other.nonfinite)
        assert one.norm == pytest.approx(other.norm, rel=1e-6)
        assert one.total == pytest.approx(other.total, rel=1e-5)
        assert one.absolute == pytest.approx(other.absolute, rel=NORM)


def test_a_value_that_is_not_finite_stays_in_its_layer():
    # Weights near 1 need double precision as NaN does, and tensors of one size are reduced together.
    model = nn.Sequential(*(nn.LayerNorm(48) for _ in range(4)))
    with torch.no_grad():
        for index, layer in enumerate(model):
            layer.weight += 0.01 * index
        model[2].weight[5] = math.nan
    expected = [layer.weight.detach().double().norm().item() for layer in model]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watched = Watched(model, optimizer)
    train_step(model, optimizer, squares(torch.randn(8, 48)))
    for index, norm in enumerate(expected):
        assert watched.value(str(index), "weight_frobenius_norm") == pytest.approx(norm, rel=NORM, nan_ok=True)
    watched.close()


def test_percentiles_and_exponents_come_from_a_sample():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(300, 500), nn.Linear(500, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer, histograms=True)
    weights = copy.deepcopy(model[0].weight.detach())
    inputs = torch.randn(64, 300)
    outputs = model[0](inputs).detach()
    train_step(model, optimizer, squares(inputs))
    gradient = model[0].weight.grad
    errors = []
    for prefix, values in (("weight", weights), ("gradient", gradient), ("activation", outputs)):
        ordered = values.reshape(-1).sort().values
        for name, quantile in (("p01", 0.01), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p99", 0.99)):
            rank = torch.searchsorted(ordered, watched.value("0", f"{prefix}_{name}")).item() / ordered.numel()
            errors.append(abs(rank - quantile))
        counts = watched.last.vectors[f"{prefix}_exponents"]["0"]
        assert len(counts) == 66 and sum(counts) == 4096
    # The standard deviation of a rank in 4 096 values is 0.008 at the median, and less elsewhere.
    assert max(errors) < 0.025 and sum(errors) / len(errors) < 0.01
    assert watched.value("0", "weight_kurtosis") == pytest.approx(1.8, abs=0.1)  # of a uniform distribution
    assert watched.value("0", "activation_kurtosis") == pytest.approx(3.0, abs=0.3)  # of a normal distribution
    zeros = (gradient == 0).float().mean().item()
    assert watched.value("0", "gradient_zero_fraction") == pytest.approx(zeros, abs=0.03)
    watched.close()


def test_exponent_counts_are_those_of_the_values():
    from nnmonitor.watching.numerics.samples import count_exponents

    values = torch.tensor([[0.0, 1.0, -1.5, 2.0, 0.75, 2.0**-40, 2.0**-60, 2.0**23, 2.0**30, math.inf, math.nan, -3.0]])
    counts = count_exponents(values)[0].tolist()
    expected = [0] * 66
    for position in (0, 41, 41, 42, 40, 1, 1, 64, 64, 65, 65, 42):
        expected[position] += 1
    assert counts == expected


def test_dead_and_saturated_units_count_for_the_layer_before_the_activation_function():
    model = nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(inplace=True), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 5), nn.Sigmoid())
    with torch.no_grad():
        model[0].weight[:3] = 0.0
        model[0].bias[:3] = -1.0
        model[2].weight.zero_()
        model[2].bias.copy_(torch.tensor([5.0, -5.0, 1.9, 0.0, 0.1, 1.7]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watched = Watched(model, optimizer)
    inputs = torch.rand(32, 4)
    train_step(model, optimizer, squares(inputs))
    hidden = model[0](inputs).relu()
    assert watched.value("0", "dead_fraction") == (hidden == 0).all(0).float().mean().item() >= 3 / 8
    assert watched.value("2", "saturated_fraction") == pytest.approx(3 / 6)  # tanh(1.9) is 0.956, tanh(1.7) is 0.935
    assert watched.value("4", "saturated_fraction") == 0.0
    assert [layer["id"] for layer in watched.last.layers] == ["0", "2", "4"]
    watched.close()


def test_saturated_outputs_of_a_recurrent_layer():
    torch.manual_seed(0)
    model = nn.LSTM(4, 32, batch_first=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(60.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watched = Watched(model, optimizer)
    inputs = torch.randn(8, 20, 4)
    train_step(model, optimizer, squares(inputs))
    outputs = model(inputs)[0]
    expected = (outputs.abs() >= 0.95).double().mean().item()
    assert 0.01 < expected < 0.95
    assert watched.value("LSTM", "saturated_fraction") == pytest.approx(expected, rel=1e-9)
    watched.close()


def test_values_that_leave_half_precision_are_counted():
    torch.manual_seed(0)
    model = nn.Linear(200, 20, bias=False).half()
    with torch.no_grad():
        model.weight.mul_(10_000.0)
    inputs = (torch.randn(16, 200) * 8.0).half()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watched = Watched(model, optimizer)
    outputs = model(inputs)
    overflown = 1.0 - outputs.isfinite().double().mean().item()
    finite = outputs.isfinite()
    # Half precision has fewer digits below 2^-14.
    scales = torch.logspace(-9, 0, 20).half()
    optimizer.zero_grad()
    outputs.float().nan_to_num(0.0, 0.0, 0.0).sum().backward()
    model.weight.grad = (inputs.mean(0) * scales.unsqueeze(1)).half()
    optimizer.step()
    gradient = model.weight.grad.double()
    small = ((gradient != 0.0) & (gradient.abs() < 2.0**-14)).double().mean().item()
    assert 0.1 < overflown < 0.9 and 0.1 < small < 0.9
    assert watched.value("Linear", "overflow_fraction") == pytest.approx(overflown, rel=1e-9)
    assert watched.value("Linear", "underflow_fraction") == pytest.approx(small, abs=0.03)
    assert watched.value("Linear", "nonfinite_count") == (~finite).sum().item()
    watched.close()


def test_attention_and_router_statistics_from_what_the_module_exposes():
    class SelfAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.MultiheadAttention(16, 4, batch_first=True)

        def forward(self, x):
            output, weights = self.inner(x, x, x, average_attn_weights=False)
            self.weights = weights.detach()
            return output, weights

    class Router(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate = nn.Linear(16, 4)

        def forward(self, x):
            self.router_logits = self.gate(x)
            return x

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.router = SelfAttention(), Router()

        def forward(self, x):
            return self.router(self.attention(x)[0])

    torch.manual_seed(0)
    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer, functions={"attention": lambda m, i, o: {"attention_max_logit": o[1].max()}})
    train_step(model, optimizer, squares(torch.randn(3, 5, 16)))
    weights = model.attention.weights.double()
    entropy = -(weights * weights.log()).sum(-1).mean().item()
    assert watched.value("attention", "attention_entropy") == pytest.approx(entropy, rel=1e-6)
    assert watched.value("attention.inner", "attention_entropy") == pytest.approx(entropy, rel=1e-6)
    assert watched.value("attention", "attention_max_logit") == pytest.approx(weights.max().item())
    rows = model.router.router_logits.detach().double().reshape(-1, 4)
    load = torch.bincount(rows.argmax(1), minlength=4).double() / len(rows)
    assert watched.last.vectors["router_load"]["router"] == pytest.approx(load.tolist())
    assert watched.value("router", "router_load_cv") == pytest.approx((load.std(unbiased=False) / load.mean()).item())
    entropy = torch.distributions.Categorical(logits=rows).entropy().mean().item()
    assert watched.value("router", "router_entropy") == pytest.approx(entropy, rel=1e-6)
    watched.close()


def test_cross_layer_ratio_and_layer_descriptions():
    model = nn.ModuleDict({"encoder": nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))})
    model.forward = lambda x: model["encoder"](x)
    model["encoder"][1].bias.requires_grad_(False)
    for parameter in model["encoder"][0].parameters():
        parameter.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer)
    train_step(model, optimizer, squares(torch.randn(6, 4)))
    first, second = watched.last.layers
    assert first == {
        "id": "encoder.0", "type": "Linear", "depth": 0, "shape": [6, 8], "parameters": 40, "trainable": False,
        "group": "encoder"}
    assert second["trainable"] and second["parameters"] == 27
    assert watched.value("encoder.0", "gradient_l2_norm") is None
    assert watched.value("encoder.0", "update_l2_norm") == 0.0 or watched.value("encoder.0", "update_l2_norm") is None
    ratio = watched.value("encoder.1", "activation_std") / watched.value("encoder.0", "activation_std")
    assert watched.value("encoder.1", "cross_layer_std_ratio") == pytest.approx(ratio)
    watched.close()


def test_a_singular_value_that_overtakes_the_largest_is_found():
    """Its vector is orthogonal to the one that steps begin from."""
    from nnmonitor.watching.numerics.spectral import _ANEW, SpectralNorms

    matrix = torch.diag(torch.tensor([2.0, 1.0, 0.5, 0.1]))
    norms = SpectralNorms()
    assert norms.measure([("w", matrix)])["w"] == pytest.approx(2.0)
    matrix[1, 1] = 3.0
    found = []
    for _ in range(_ANEW):
        norms.begin()
        found.append(norms.measure([("w", matrix)])["w"])
    assert pytest.approx(3.0) in found
