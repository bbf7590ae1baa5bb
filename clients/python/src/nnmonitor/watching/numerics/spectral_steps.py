"""Two Golub-Kahan-Lanczos steps with as few operations as possible: for one matrix on a CPU, or for many small ones."""

from __future__ import annotations

import math
from typing import NamedTuple, Optional

import torch

# A direction whose share of the norm is below this is rounding error. It changes the norm by its square.
ROUNDING = {torch.float32: 1e-5, torch.float64: 1e-12}

# A vector that moved less (squared sine) is kept as it is. It changes the norm of the next step by this share at most.
_STILL = 1e-6


class TwoSteps(NamedTuple):
    """The estimate of the largest singular value, its right vector, and the squared sine between it and the old one."""

    norm: float
    vector: torch.Tensor
    moved: float


def take_two_steps(matrix: torch.Tensor, start: torch.Tensor, enough: float = 0.0) -> TwoSteps:
    """From a right vector of length 1. The norm is NaN or infinite where the matrix has such a value.

    Args:
        enough: a residual of the first step that is this share of the norm makes the second one unnecessary.

    A right singular vector of the bidiagonal matrix [[a1, b1, 0], [0, a2, b2]] combines the three basis vectors. Its
    left one is an eigenvector of a symmetric 2 x 2 matrix, which has a closed form.
    """
    # Vectors stay as long as they come out: dividing each by its norm would be one more operation.
    transposed = matrix.t()
    left = torch.mv(matrix, start)
    a1 = _norm(left)
    if not math.isfinite(a1) or a1 == 0.0:
        return TwoSteps(a1, start, 0.0)
    rounding = ROUNDING[matrix.dtype] * a1
    second = torch.addmv(start, transposed, left, beta=-a1, alpha=1.0 / a1)
    second.sub_(start, alpha=_dot(start, second))
    b1 = _norm(second)
    if b1 <= rounding:
        return TwoSteps(a1, start, 0.0)
    if b1 <= enough * a1:
        return _combine(a1, b1, 0.0, 0.0, [start, second])
    next_left = torch.addmv(left, matrix, second, beta=-b1 / a1, alpha=1.0 / b1)
    a2 = _norm(next_left)
    if a2 <= rounding:
        return _combine(a1, b1, 0.0, 0.0, [start, second])
    third = torch.addmv(second, transposed, next_left, beta=-a2 / b1, alpha=1.0 / a2)
    third.sub_(start, alpha=_dot(start, third)).sub_(second, alpha=_dot(second, third) / (b1 * b1))
    b2 = _norm(third)
    if b2 <= rounding:
        return _combine(a1, b1, a2, 0.0, [start, second])
    return _combine(a1, b1, a2, b2, [start, second, third])


def take_two_steps_together(block: torch.Tensor, start: torch.Tensor) -> list[TwoSteps]:
    """The same for matrices (k, m, n) of one size from vectors (k, n)."""
    transposed = block.transpose(1, 2)
    left, a1 = normalized(times(block, start))
    second = torch.addcmul(times(transposed, left), a1.unsqueeze(1), start, value=-1.0)
    second.addcmul_(_dots(start, second), start, value=-1.0)
    second, b1 = normalized(second, a1)
    next_left = torch.addcmul(times(block, second), b1.unsqueeze(1), left, value=-1.0)
    next_left, a2 = normalized(next_left, a1)
    third = torch.addcmul(times(transposed, next_left), a2.unsqueeze(1), second, value=-1.0)
    third.addcmul_(_dots(start, third), start, value=-1.0).addcmul_(_dots(second, third), second, value=-1.0)
    third, b2 = normalized(third, a1)
    found = [_weights(*entries) for entries in torch.stack([a1, b1, a2, b2], dim=1).tolist()]
    factors = torch.tensor([weights for _, weights in found], dtype=start.dtype).to(start.device).unsqueeze(2)
    vectors = factors[:, 0] * start + factors[:, 1] * second + factors[:, 2] * third
    rows = normalized(vectors)[0].unbind(0)
    return [TwoSteps(norm, row, 1.0 - weights[0] ** 2) for (norm, weights), row in zip(found, rows)]


def times(block: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Each matrix times its vector: (k, m, n) and (k, n) to (k, m)."""
    if block.shape[0] == 1:
        return torch.mv(block[0], vectors[0]).unsqueeze(0)
    # Ten times as fast on a CPU as with the vectors on the right.
    return torch.bmm(vectors.unsqueeze(1), block.transpose(1, 2)).squeeze(1)


def normalized(vectors: torch.Tensor, scale: Optional[torch.Tensor] = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit vectors and norms; both 0 where the norm is rounding error of values of size `scale`."""
    norms = torch.linalg.vector_norm(vectors, dim=1)
    if scale is not None:
        # Written so that NaN stays.
        norms = norms.masked_fill(norms <= scale * ROUNDING[norms.dtype], 0.0)
    factors = norms.reciprocal().masked_fill(norms == 0.0, 0.0)
    return vectors * factors.unsqueeze(1), norms


def _dots(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one * other).sum(1, keepdim=True)


def _weights(a1: float, b1: float, a2: float, b2: float) -> tuple[float, tuple[float, float, float]]:
    """The largest singular value of the bidiagonal matrix, and its right vector; the norm is NaN or infinite, and the
    vector the first one, where an entry is not finite."""
    one, both, two = a1 * a1 + b1 * b1, b1 * a2, a2 * a2 + b2 * b2
    root = math.hypot(one - two, 2.0 * both)
    norm = math.sqrt((one + two + root) / 2.0)
    if not math.isfinite(norm) or norm == 0.0:
        return norm, (1.0, 0.0, 0.0)
    angle = math.atan2(2.0 * both, one - two) / 2.0
    first, other = math.cos(angle), math.sin(angle)
    return norm, (a1 * first / norm, (b1 * first + a2 * other) / norm, b2 * other / norm)


def _combine(a1: float, b1: float, a2: float, b2: float, basis: list[torch.Tensor]) -> TwoSteps:
    """From basis vectors of the lengths 1, b1 and b2."""
    norm, weights = _weights(a1, b1, a2, b2)
    if not math.isfinite(norm):
        return TwoSteps(norm, basis[0], 0.0)
    moved = 1.0 - weights[0] ** 2
    if moved < _STILL:
        return TwoSteps(norm, basis[0], moved)
    vector = basis[0] * weights[0]
    for weight, direction, length in zip(weights[1:], basis[1:], (b1, b2)):
        vector.add_(direction, alpha=weight / length)
    return TwoSteps(norm, vector.div_(max(_norm(vector), 1e-30)), moved)


def _dot(one: torch.Tensor, other: torch.Tensor) -> float:
    return torch.dot(one, other).item()


def _norm(vector: torch.Tensor) -> float:
    """The norm; infinite or 0 where squares leave the range of the dtype. Faster than `vector_norm`."""
    return math.sqrt(torch.dot(vector, vector).item())
