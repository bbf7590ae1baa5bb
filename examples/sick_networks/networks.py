"""Fully connected, convolutional and recurrent networks for images of 64 values and ten classes."""

from torch import nn


def mlp(widths, activation=nn.ReLU, norm=None):
    """Linear layers `linear0`, `linear1`, ... and `head`; `norm` makes a layer before each activation function."""
    layers, before = {}, 64
    for index, width in enumerate(widths):
        layers[f"linear{index}"] = nn.Linear(before, width)
        if norm is not None:
            layers[f"norm{index}"] = norm(width)
        layers[f"act{index}"] = activation()
        before = width
    layers["head"] = nn.Linear(before, 10)
    model = nn.Sequential()
    for name, layer in layers.items():
        model.add_module(name, layer)
    return model


class Rectified(nn.Linear):
    """A linear layer with a rectifier: its output, which the monitor sees, is the rectified one."""

    def forward(self, inputs):
        return super().forward(inputs).relu()


def rectified(widths):
    """A network whose layers are followed by a rectifier inside the same module."""
    before, model = 64, nn.Sequential()
    for index, width in enumerate(widths):
        model.add_module(f"dense{index}", Rectified(before, width))
        before = width
    model.add_module("head", nn.Linear(before, 10))
    return model


class CNN(nn.Sequential):
    """Three convolutions and two linear layers."""

    def __init__(self):
        super().__init__()
        self.image = nn.Unflatten(1, (1, 8, 8))
        self.conv1, self.relu1 = nn.Conv2d(1, 8, 3, padding=1), nn.ReLU()
        self.conv2, self.relu2 = nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv3, self.relu3 = nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()
        self.flatten = nn.Flatten()
        self.hidden, self.relu4 = nn.Linear(16 * 16, 32), nn.ReLU()
        self.head = nn.Linear(32, 10)


class ResidualBlock(nn.Module):
    """Two convolutions with batch normalisation beside a residual connection."""

    def __init__(self, width):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.conv2, self.norm2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)

    def forward(self, x):
        return (x + self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))).relu()


class ResNet(nn.Module):
    """A small residual network."""

    def __init__(self, width=8, blocks=3):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.head = nn.Linear(width, 10)

    def forward(self, inputs):
        return self.head(self.blocks(self.stem(inputs.view(-1, 1, 8, 8))).mean((2, 3)))


class Recurrent(nn.Module):
    """An LSTM or GRU that reads an image row by row."""

    def __init__(self, kind, width=32, layers=2):
        super().__init__()
        self.rnn = kind(8, width, num_layers=1, batch_first=True)
        self.upper = nn.ModuleList(kind(width, width, num_layers=1, batch_first=True) for _ in range(layers - 1))
        self.head = nn.Linear(width, 10)

    def forward(self, inputs):
        states = self.rnn(inputs.view(-1, 8, 8))[0]
        for layer in self.upper:
            states = layer(states)[0]
        return self.head(states[:, -1])


class Backbone(nn.Module):
    """A network whose lower part, `backbone`, is not trained."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        for layer in self.backbone[::2]:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.backbone.requires_grad_(False)
        self.hidden, self.head = nn.Linear(64, 32), nn.Linear(32, 10)
        self.relu = nn.ReLU()

    def forward(self, inputs):
        return self.head(self.relu(self.hidden(self.backbone(inputs))))
