"""scikit-learn's handwritten digits: 1797 images of 8 x 8 pixels. The data ships inside scikit-learn."""

import functools

import torch
from sklearn.datasets import load_digits


@functools.lru_cache(maxsize=1)
def digits():
    """Returns the images as N x 64 in the range -1 to 1, and their labels."""
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32).flatten(1) / 8 - 1
    return images, torch.tensor(data.target)


def batches(seed, size, examples=None):
    """Yields shuffled batches of images and labels without end; `examples` limits them to the first so many."""
    generator = torch.Generator().manual_seed(seed)
    images, labels = digits()
    images, labels = images[:examples], labels[:examples]
    while True:
        for chosen in torch.randperm(len(labels), generator=generator).split(size):
            if len(chosen) == size:
                yield images[chosen], labels[chosen]
