"""Networks with one fault each, the step at which it begins, and the finding that must name it."""

import functools

import torch
from torch import nn

from sick_networks.attention import Transformer
from sick_networks.networks import CNN, mlp, rectified
from sick_networks.training import Case, Training

_HIDDEN = tuple(f"linear{index}" for index in range(19))


def _sgd(model, rate=0.05, fused=False):
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, fused=fused)


def _adam(model, rate=2e-3):
    return torch.optim.Adam(model.parameters(), lr=rate)


def _vanishing():
    model = mlp([32] * 19, nn.Sigmoid)  # PyTorch's default initialisation is far too small for sigmoids.
    return Training(
        model, torch.optim.SGD(model.parameters(), lr=0.1), steps=120, config={"optimizer": "sgd", "lr": 0.1})


def _exploding(factor):
    """The learning rate is `factor` times too high from the fault on: the loss ends in NaN."""
    model = mlp([48] * 6)
    optimizer = _sgd(model)

    def fault(step, inputs, labels):
        optimizer.param_groups[0]["lr"] = 0.05 * factor
        return inputs, labels

    return Training(model, optimizer, steps=130, fault=fault, config={"optimizer": "sgd", "lr": 0.05})


def _nan_weight():
    model = mlp([48] * 4)

    def fault(step, inputs, labels):
        if step == 90:
            with torch.no_grad():
                model.linear2.weight[3, 5] = float("nan")
        return inputs, labels

    return Training(model, _adam(model), steps=110, fault=fault)


def _huge_bias_step(make, layer):
    """One wrong update of a layer's biases: no unit of it is positive any more."""
    model = make()

    def fault(step, inputs, labels):
        if step == 90:
            with torch.no_grad():
                model.get_submodule(layer).bias -= 1e3
        return inputs, labels

    return Training(model, _adam(model), steps=160, fault=fault)


def _frozen_layer():
    """The learning rate of one layer's group becomes 0, though its parameters require gradients."""
    model = CNN()
    optimizer = torch.optim.Adam(
        [{"params": list(module.parameters())} for module in model.children() if list(module.parameters())], lr=2e-3)

    def fault(step, inputs, labels):
        optimizer.param_groups[1]["lr"] = 0.0
        return inputs, labels

    return Training(model, optimizer, steps=170, fault=fault)


def _attention_logits():
    """Query and key of one head block grow without bound: nothing normalises them, and their learning rate is wrong."""
    model = Transformer()
    wrong = [*model.h[0].attention.query.parameters(), *model.h[0].attention.key.parameters()]
    marked = {id(parameter) for parameter in wrong}
    others = [parameter for parameter in model.parameters() if id(parameter) not in marked]
    optimizer = torch.optim.AdamW([{"params": wrong}, {"params": others}], lr=2e-3)

    def fault(step, inputs, labels):
        optimizer.param_groups[0]["lr"] = 0.2
        return inputs, labels

    return Training(model, optimizer, steps=170, fault=fault, clip=1.0)


def _entropy_collapse():
    """A wrong temperature of one attention grows from step to step until each position sees one other only."""
    model = Transformer()

    def fault(step, inputs, labels):
        with torch.no_grad():
            model.h[1].attention.query.weight *= 1.2
        return inputs, labels

    return Training(model, torch.optim.AdamW(model.parameters(), lr=2e-3), steps=170, fault=fault, clip=1.0)


def _router_collapse():
    """The balance loss is lost, and a bias towards one expert grows from step to step."""
    model, balance = Transformer(experts=8), 1

    def loss(network, inputs, labels):
        return nn.functional.cross_entropy(network(inputs), labels) + 0.1 * balance * network.balance()

    def fault(step, inputs, labels):
        nonlocal balance
        balance = 0
        with torch.no_grad():
            model.h[1].mlp.router.bias[2] += 0.5
        return inputs, labels

    return Training(model, torch.optim.AdamW(model.parameters(), lr=2e-3), steps=170, loss=loss, fault=fault, clip=1.0)


def _loss_spike():
    """One batch of wrong labels and inputs three times too large."""
    model = CNN()

    def fault(step, inputs, labels):
        return (inputs * 3, labels.roll(1)) if step == 130 else (inputs, labels)

    return Training(model, _adam(model), steps=180, fault=fault)


def _underflow():
    """Half precision whose loss scale falls to 2^-6: small gradients become 0."""
    model = mlp([48] * 4)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12, growth_interval=10**6)

    def fault(step, inputs, labels):
        scaler.update(2.0**-6)
        return inputs, labels

    return Training(
        model, _sgd(model, fused=True), steps=160, fault=fault, scaler=scaler,
        config={"optimizer": "sgd", "lr": 0.05, "precision": "fp16"})


def _saturation():
    """The weights of one tanh layer are multiplied by a hundred: its outputs are all at the ends of the range."""
    model = mlp([48] * 3, nn.Tanh)

    def fault(step, inputs, labels):
        if step == 90:
            with torch.no_grad():
                model.linear1.weight *= 100
        return inputs, labels

    return Training(model, _adam(model), steps=150, fault=fault)


def _tiny_learning_rate():
    """A learning rate for which the weights are too large by far."""
    model = CNN()
    return Training(model, _adam(model, 1e-8), steps=120, config={"optimizer": "adam", "lr": 1e-8})


def _unscaled_inputs():
    """From the fault on the inputs are a hundred times too large."""
    model = CNN()
    return Training(
        model, _adam(model, 1e-4), steps=150, fault=lambda step, inputs, labels: (inputs * 100, labels))


def _wrong_labels():
    """From the fault on the labels belong to other images."""
    model = CNN()
    return Training(model, _adam(model), steps=200, fault=lambda step, inputs, labels: (inputs, labels.roll(1)))


def _overflow():
    """Half precision with a layer whose weights grow until its outputs pass 65 504; a normalisation hides it below."""
    model = mlp([48] * 4, norm=nn.LayerNorm)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=10**6)

    def fault(step, inputs, labels):
        with torch.no_grad():
            model.linear2.weight *= 1e4 if step == 90 else 1.15
        return inputs, labels

    return Training(
        model, torch.optim.Adam(model.parameters(), lr=2e-3, fused=True), steps=120, fault=fault, scaler=scaler,
        config={"optimizer": "adam", "lr": 2e-3, "precision": "fp16"})


SICK = [
    Case("vanishing", _vanishing, 0, ("vanishing_gradient",), _HIDDEN[:17]),
    Case("exploding", functools.partial(_exploding, 200), 90, ("exploding_gradient",),
         (*_HIDDEN[:6], "head")),
    Case("nan_weight", _nan_weight, 90, ("non_finite",), ("linear2",)),
    Case("dead_layer", functools.partial(_huge_bias_step, lambda: rectified([48] * 4), "dense2"), 90,
         ("dead_layer",), ("dense2",)),
    Case("dead_units", functools.partial(_huge_bias_step, lambda: mlp([48] * 4), "linear1"), 90,
         ("dead_units",), ("linear1",)),
    Case("frozen_layer", _frozen_layer, 100, ("frozen_layer",), ("conv2",)),
    Case("attention_logits", _attention_logits, 100, ("attention_logits",), ("h.0.attention",)),
    Case("entropy_collapse", _entropy_collapse, 100, ("entropy_collapse",), ("h.1.attention",)),
    Case("router_collapse", _router_collapse, 100, ("router_collapse",), ("h.1.mlp",)),
    Case("loss_spike", _loss_spike, 130, ("loss_spike",)),
    Case("underflow", _underflow, 90, ("underflow",), ("linear0", "linear1", "linear2", "linear3", "head")),
    Case("saturation", _saturation, 90, ("saturation",), ("linear1",)),
    Case("tiny_learning_rate", _tiny_learning_rate, 0, ("update_ratio",),
         ("conv1", "conv2", "conv3", "hidden", "head")),
    Case("unscaled_inputs", _unscaled_inputs, 90, ("activation_drift",), ("conv1",)),
    Case("wrong_labels", _wrong_labels, 120, ("loss_diverging",)),
    Case("overflow", _overflow, 90, ("overflow",), ("linear2",)),
]
