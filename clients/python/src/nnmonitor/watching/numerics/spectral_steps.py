"""Two Golub-Kahan-Lanczos steps for one large matrix on a CPU, with as few operations as possible."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

# A direction whose share of the norm is below this is rounding error. It changes the norm by its square.
ROUNDING = {torch.float32: 1e-5, torch.float64: 1e-12}


class TwoSteps(NamedTuple):
    """The estimate of the largest singular value, its right vector, and the squared sine between it and the old one."""

    norm: float
    vector: torch.Tensor
    moved: float


def take_two_steps(matrix: torch.Tensor, start: torch.Tensor) -> TwoSteps:
    """From a right vector of length 1. The norm is NaN or infinite where the matrix has such a value.

    A right singular vector of the bidiagonal matrix [[a1, b1, 0], [0, a2, b2]] combines the three basis vectors. Its
    left one is an eigenvector of a symmetric 2 x 2 matrix, which has a closed form.
    """
    left = torch.mv(matrix, start)
    a1 = _norm(left)
    if not math.isfinite(a1) or a1 == 0.0:
        return TwoSteps(a1, start, 0.0)
    rounding = ROUNDING[matrix.dtype] * a1
    second = torch.addmv(start, matrix.t(), left.div_(a1), beta=-a1)
    second.sub_(start, alpha=float(torch.dot(start, second)))
    b1 = _norm(second)
    if b1 <= rounding:
        return TwoSteps(a1, start, 0.0)
    next_left = torch.addmv(left, matrix, second.div_(b1), beta=-b1)
    a2 = _norm(next_left)
    if a2 <= rounding:
        return _combine(a1, b1, 0.0, 0.0, [start, second])
    third = torch.addmv(second, matrix.t(), next_left.div_(a2), beta=-a2)
    third.sub_(start, alpha=float(torch.dot(start, third))).sub_(second, alpha=float(torch.dot(second, third)))
    b2 = _norm(third)
    if b2 <= rounding:
        return _combine(a1, b1, a2, 0.0, [start, second])
    return _combine(a1, b1, a2, b2, [start, second, third.div_(b2)])


def _combine(a1: float, b1: float, a2: float, b2: float, basis: list[torch.Tensor]) -> TwoSteps:
    one, both, two = a1 * a1 + b1 * b1, b1 * a2, a2 * a2 + b2 * b2
    root = math.hypot(one - two, 2.0 * both)
    norm = math.sqrt((one + two + root) / 2.0)
    if not math.isfinite(norm):
        return TwoSteps(norm, basis[0], 0.0)
    angle = math.atan2(2.0 * both, one - two) / 2.0
    first, other = math.cos(angle), math.sin(angle)
    weights = [a1 * first / norm, (b1 * first + a2 * other) / norm, b2 * other / norm]
    vector = basis[0] * weights[0]
    for weight, direction in zip(weights[1:], basis[1:]):
        vector.add_(direction, alpha=weight)
    return TwoSteps(norm, vector.div_(max(_norm(vector), 1e-30)), 1.0 - weights[0] ** 2)


def _norm(vector: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(vector))
