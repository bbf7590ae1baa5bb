"""Healthy networks, several of which look ill to a simple rule: a gradient of nearly zero, a learning rate of zero, a
loss that rises at a restart, layers that are not trained."""

import math

import torch
from torch import nn

from sick_networks.attention import Transformer
from sick_networks.networks import CNN, Backbone, Recurrent, ResNet, mlp
from sick_networks.training import Case, Training


def _adam(model, rate=2e-3):
    return torch.optim.Adam(model.parameters(), lr=rate)


def _cnn():
    model = CNN()
    return Training(model, _adam(model), steps=250, config={"optimizer": "adam", "lr": 2e-3})


def _mlp_batch_norm():
    model = mlp([48, 48, 48, 32], norm=nn.BatchNorm1d)
    return Training(
        model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), steps=250,
        config={"optimizer": "sgd", "lr": 0.1, "momentum": 0.9})


def _transformer():
    model = Transformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, 251)
    return Training(model, optimizer, steps=250, schedule=schedule, clip=1.0, config={"optimizer": "adamw", "lr": 3e-3})


def _lstm():
    model = Recurrent(nn.LSTM)
    return Training(model, _adam(model, 5e-3), steps=500, every=2, config={"optimizer": "adam", "lr": 5e-3})


def _resnet_cosine():
    model = ResNet()
    steps, warm_up = 300, 30
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9, weight_decay=5e-4)

    def factor(step):
        if step < warm_up:
            return (step + 1) / warm_up
        return 0.5 * (1 + math.cos(math.pi * min(1, (step - warm_up) / (steps - 10 - warm_up))))

    return Training(
        model, optimizer, steps=steps, schedule=torch.optim.lr_scheduler.LambdaLR(optimizer, factor),
        config={"optimizer": "sgd", "lr": 0.2, "warmup_steps": warm_up, "schedule": "cosine"})


def _converged():
    model = mlp([64, 64, 64])
    return Training(
        model, _adam(model, 3e-3), steps=900, every=3, examples=256, config={"optimizer": "adam", "lr": 3e-3})


def _warm_restarts():
    model = CNN()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 60)
    return Training(
        model, optimizer, steps=300, schedule=schedule, config={"optimizer": "sgd", "lr": 0.02, "schedule": "restarts"})


def _frozen_backbone():
    model = Backbone()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return Training(model, torch.optim.Adam(trained, lr=2e-3), steps=250, config={"optimizer": "adam", "lr": 2e-3})


def _balanced_experts():
    """Long after the loss is small, a single hard batch makes the gradient fifty times its usual size."""
    model = Transformer(experts=8)

    def loss(network, inputs, labels):
        return nn.functional.cross_entropy(network(inputs), labels) + 0.1 * network.balance()

    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    return Training(
        model, optimizer, steps=1500, every=10, loss=loss, clip=1.0, config={"optimizer": "adamw", "lr": 2e-3})


def _gru_clipped():
    """Reported rarely, long after the loss is small."""
    model = Recurrent(nn.GRU)
    return Training(
        model, _adam(model), steps=2500, every=20, batch=32, clip=0.5,
        config={"optimizer": "adam", "lr": 2e-3, "clip": 0.5})


def _small_batches():
    """Batches of eight images: the loss is noisy."""
    model = CNN()
    return Training(
        model, torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.5), steps=1000, every=5, batch=8,
        config={"optimizer": "sgd", "lr": 0.02})


def _half_precision():
    """The loss scale begins too high, as usual: the first steps are skipped."""
    model = mlp([48] * 4)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20, growth_interval=50)
    return Training(
        model, torch.optim.Adam(model.parameters(), lr=2e-3, fused=True), steps=250, scaler=scaler,
        config={"optimizer": "adam", "lr": 2e-3, "precision": "16-mixed"})


def _dropout_tanh():
    model = mlp([64, 48, 48], nn.Tanh, lambda width: nn.Dropout(0.3))
    return Training(model, _adam(model), steps=250, config={"optimizer": "adam", "lr": 2e-3})


def _fine_tuning():
    """The lower layers have a learning rate a hundred times lower than the head."""
    model = CNN()
    lower = [parameter for name, parameter in model.named_parameters() if not name.startswith("head")]
    optimizer = torch.optim.AdamW([{"params": lower, "lr": 3e-5}, {"params": model.head.parameters(), "lr": 3e-3}])
    return Training(model, optimizer, steps=250, config={"optimizer": "adamw", "lr": 3e-3, "lr_backbone": 3e-5})


def _zero_initialisation():
    """The last layer of each residual branch begins at zero, so that the layers before it first have no gradient."""
    model = ResNet(blocks=2)
    for block in model.blocks:
        nn.init.zeros_(block.norm2.weight)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 20))
    return Training(model, optimizer, steps=200, schedule=schedule, config={"optimizer": "adamw", "lr": 5e-3})


def _plain_sgd():
    model = mlp([64, 64])
    return Training(
        model, torch.optim.SGD(model.parameters(), lr=0.05), steps=1000, every=5,
        config={"optimizer": "sgd", "lr": 0.05})


def _autoencoder():
    model = mlp([32, 8, 32], nn.GELU)
    model.head = nn.Linear(32, 64)
    return Training(
        model, _adam(model, 3e-3), steps=250, config={"optimizer": "adam", "lr": 3e-3},
        loss=lambda network, inputs, labels: nn.functional.mse_loss(network(inputs), inputs))


HEALTHY = [
    Case("cnn", _cnn),
    Case("mlp_batch_norm", _mlp_batch_norm),
    Case("transformer", _transformer),
    Case("lstm", _lstm),
    Case("resnet_cosine", _resnet_cosine),
    Case("converged", _converged),
    Case("warm_restarts", _warm_restarts),
    Case("frozen_backbone", _frozen_backbone),
    Case("balanced_experts", _balanced_experts),
    Case("gru_clipped", _gru_clipped),
    Case("small_batches", _small_batches),
    Case("half_precision", _half_precision),
    Case("dropout_tanh", _dropout_tanh),
    Case("fine_tuning", _fine_tuning),
    Case("zero_initialisation", _zero_initialisation),
    Case("plain_sgd", _plain_sgd),
    Case("autoencoder", _autoencoder),
]
