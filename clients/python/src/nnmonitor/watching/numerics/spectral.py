"""The largest singular value of each weight matrix.

The first report takes 24 Golub-Kahan-Lanczos steps (worst error 0.4 % on random matrices) and keeps the right singular
vector. Each later report takes two steps from there (four products of the matrix with a vector), and twelve more where
the vector moved far: a single power iteration lags behind weights whose spectrum is flat, such as orthogonal ones.
Where two steps did not move the vector of a large matrix, the next report takes one, unless that leaves a residual.
Golub and Van Loan, Matrix Computations, section 10.4.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import NamedTuple, Optional

import torch
from torch.nn import functional

from nnmonitor.watching.numerics.reduction import SMALL
from nnmonitor.watching.numerics.spectral_steps import (
    TwoSteps,
    normalized,
    take_two_steps,
    take_two_steps_together,
    times,
)

_FIRST_STEPS = 24
_MORE_STEPS = 12
# Squared sine of the angle between the old and the new vector, above which two steps were too few.
_FAR = 0.001
# Below it, one step is enough at the next report, if its residual is at most this share of the norm: a second one would
# add at most half of that share, or find a singular value that has overtaken the largest, which the next report does.
_SETTLED, _MOST_RESIDUAL = 1e-4, 2e-3
# From a singular vector, steps never find another one that has overtaken it. So every so many reports begin anew.
_ANEW = 32
# Norms whose squares, and those of single entries, single precision holds.
_LEAST, _MOST = 1e-12, 1e17
# Matrices of at most this many rows and columns are padded to it, so that they share one block.
_SHARED_SIDE = 128
# On a CPU, fewer small matrices than this are faster one by one.
_FEWEST_TOGETHER = 12

Item = tuple[Hashable, torch.Tensor]
# Rows and columns after padding.
_Size = tuple[int, int, torch.dtype, torch.device]


class Block(NamedTuple):
    """Matrices (k, m, n) of one size, padded with zeros, which change no singular value, and their keys."""

    keys: list[Hashable]
    matrices: torch.Tensor


class _Padded(NamedTuple):
    """A buffer that is kept between reports. Its padding is 0 as long as the same shapes come in the same order.

    Attributes:
        views: of the matrices without the padding.
    """

    shapes: list[torch.Size]
    block: torch.Tensor
    views: list[torch.Tensor]


def as_matrix(weight: torch.Tensor, transposed: bool) -> torch.Tensor:
    """A weight of two or more dimensions as a matrix with one row an output channel.

    Args:
        transposed: whether the output channels are dimension 1, as in a transposed convolution.
    """
    if transposed:
        weight = weight.transpose(0, 1)
    return weight.flatten(1)


class SpectralNorms:
    """Spectral norms by key, with the vectors that the next report begins from.

    It has a random generator of its own, so that training's random numbers stay as they are.
    """

    def __init__(self) -> None:
        self._vectors: dict[Hashable, torch.Tensor] = {}
        # Keys of large matrices whose last two steps moved the vector by almost nothing, and numbers of all of them. At
        # each report it is the turn of half of them to take one step.
        self._settled: set[Hashable] = set()
        self._numbers: dict[Hashable, int] = {}
        self._reports = 0
        self._padded: dict[_Size, _Padded] = {}
        self._generator = torch.Generator().manual_seed(0)

    def begin(self) -> None:
        """Begins a report."""
        self._reports += 1
        if self._reports % _ANEW == 0:
            self._vectors.clear()
            self._settled.clear()

    def measure_at_once(self, key: Hashable, matrix: torch.Tensor) -> Optional[float]:
        """The norm of a large matrix on a CPU, while its values are in the processor's cache; None for any other one,
        and where its norm needs more than two steps from an earlier vector."""
        if matrix.numel() <= SMALL or matrix.device.type != "cpu" or not self._is_warm(key, matrix):
            return None
        turn = (self._numbers.setdefault(key, len(self._numbers)) + self._reports) % 2 == 0
        enough = _MOST_RESIDUAL if turn and key in self._settled else 0.0
        found = take_two_steps(matrix.to(_dtype_of(matrix)), self._vectors[key], enough)
        results: dict[Hashable, float] = {}
        far = self._keep([key], [found], results)
        if found.moved > _SETTLED:
            self._settled.discard(key)
        elif not turn:
            self._settled.add(key)
        return results[key] if not far and _LEAST < results[key] < _MOST else None

    def measure(self, items: list[Item]) -> dict[Hashable, float]:
        """The spectral norm of each matrix (two dimensions); NaN where the matrix has a value that is not finite."""
        results: dict[Hashable, float] = {}
        new: list[Item] = []
        warm: list[Item] = []
        for key, matrix in items:
            (warm if self._is_warm(key, matrix) else new).append((key, matrix))
        for key, matrix in new:
            self._begin(key, matrix)
        for block in self._blocks(new):
            self._estimate(block, _FIRST_STEPS, results)
        for block in self._blocks(warm):
            far = self._step(block, results)
            if far:
                part = block if len(far) == len(block.keys) else Block(
                    [block.keys[row] for row in far], block.matrices[far])
                self._estimate(part, _MORE_STEPS, results)
        self._repeat_in_double(items, results)
        return results

    def _is_warm(self, key: Hashable, matrix: torch.Tensor) -> bool:
        vector = self._vectors.get(key)
        if vector is None or vector.device != matrix.device:
            return False
        return vector.numel() == matrix.shape[1] or vector.numel() == _padded(matrix)[1]

    def _start(self, block: Block) -> torch.Tensor:
        """The vectors to begin from, (k, n)."""
        columns = block.matrices.shape[2]
        vectors = [self._vectors[key] for key in block.keys]
        # A matrix may have been measured alone, or padded, at the report before.
        if any(vector.numel() != columns for vector in vectors):
            vectors = [functional.pad(vector, (0, columns - vector.numel())) for vector in vectors]
        return torch.stack(vectors)

    def _begin(self, key: Hashable, matrix: torch.Tensor) -> None:
        """Chooses a random vector; 0 in the padding."""
        vector = torch.zeros(_padded(matrix)[1])
        vector[:matrix.shape[1]] = torch.randn(matrix.shape[1], generator=self._generator)
        self._vectors[key] = vector.to(matrix.device, _dtype_of(matrix))

    def _repeat_in_double(self, items: list[Item], results: dict[Hashable, float]) -> None:
        """Measures matrices anew whose squares single precision cannot hold."""
        for key, matrix in items:
            unsafe = not _LEAST < results[key] < _MOST
            if unsafe and matrix.dtype != torch.float64 and bool(matrix.isfinite().all()) and bool(matrix.any()):
                double = matrix.to(torch.float64)
                self._begin(key, double)
                for block in self._blocks([(key, double)]):
                    self._estimate(block, _FIRST_STEPS, results)
                self._vectors.pop(key, None)

    def _step(self, block: Block, results: dict[Hashable, float]) -> list[int]:
        """Two steps from the vectors of an earlier report. Returns the rows whose vectors moved far."""
        if len(block.keys) == 1 and block.matrices.device.type == "cpu":
            steps = [take_two_steps(block.matrices[0], self._start(block)[0])]
        else:
            steps = take_two_steps_together(block.matrices, self._start(block))
        return self._keep(block.keys, steps, results)

    def _keep(self, keys: list[Hashable], steps: list[TwoSteps], results: dict[Hashable, float]) -> list[int]:
        """Writes norms and vectors. Returns the rows whose vectors moved far and can be used again."""
        far: list[int] = []
        for row, (key, (norm, vector, moved)) in enumerate(zip(keys, steps)):
            results[key] = norm if math.isfinite(norm) else math.nan
            if norm > 0.0 and math.isfinite(norm):
                self._vectors[key] = vector
                if moved > _FAR:
                    far.append(row)
            else:
                del self._vectors[key]
        return far

    def _estimate(self, block: Block, steps: int, results: dict[Hashable, float]) -> None:
        """Writes norms and vectors after so many steps."""
        bidiagonal, basis = _bidiagonalize(block.matrices, self._start(block), min(steps, *block.matrices.shape[1:]))
        good = bidiagonal.isfinite().flatten(1).all(1).tolist()
        _, singular, right = torch.linalg.svd(torch.nan_to_num(bidiagonal, 0.0, 0.0, 0.0), full_matrices=False)
        largest = singular[:, 0].tolist()
        coefficients = right[:, 0]
        vectors = torch.bmm(coefficients.unsqueeze(1).to(basis), basis).squeeze(1).unbind(0)
        for row, key in enumerate(block.keys):
            results[key] = largest[row] if good[row] else math.nan
            if good[row] and largest[row] > 0.0:
                self._vectors[key] = vectors[row]
            else:
                self._vectors.pop(key, None)

    def _blocks(self, items: list[Item]) -> list[Block]:
        """Many small matrices together, any other one alone."""
        blocks: list[Block] = []
        small: dict[_Size, list[Item]] = {}
        for key, matrix in items:
            dtype = _dtype_of(matrix)
            if matrix.numel() <= SMALL:
                small.setdefault((*_padded(matrix), dtype, matrix.device), []).append((key, matrix))
            else:
                blocks.append(Block([key], matrix.to(dtype).unsqueeze(0)))
        for size, group in small.items():
            if len(group) < _FEWEST_TOGETHER and size[3].type == "cpu":
                blocks += [Block([key], matrix.to(size[2]).unsqueeze(0)) for key, matrix in group]
                continue
            shapes = [matrix.shape for _, matrix in group]
            padded = self._padded.get(size)
            if padded is None or padded.shapes != shapes:
                padded = self._padded[size] = _pad(size, shapes)
            torch._foreach_copy_(padded.views, [matrix for _, matrix in group])
            blocks.append(Block([key for key, _ in group], padded.block))
        return blocks


def _pad(size: _Size, shapes: list[torch.Size]) -> _Padded:
    rows, columns, dtype, device = size
    block = torch.zeros((len(shapes), rows, columns), dtype=dtype, device=device)
    return _Padded(shapes, block, [block[row, :shape[0], :shape[1]] for row, shape in enumerate(shapes)])


def _dtype_of(matrix: torch.Tensor) -> torch.dtype:
    """Half precision is measured in single precision."""
    return torch.float64 if matrix.dtype == torch.float64 else torch.float32


def _padded(matrix: torch.Tensor) -> tuple[int, int]:
    """Rows and columns that the matrix is padded to."""
    rows, columns = matrix.shape
    if rows * columns > SMALL:
        return rows, columns
    if max(rows, columns) <= _SHARED_SIDE:
        return _SHARED_SIDE, _SHARED_SIDE
    return 1 << (rows - 1).bit_length(), 1 << (columns - 1).bit_length()


def _bidiagonalize(block: torch.Tensor, start: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The upper bidiagonal (k, s, s + 1), in double precision on the CPU, and the right basis (k, s + 1, n)."""
    right, _ = normalized(start)
    basis = [right]
    alphas: list[torch.Tensor] = []
    betas: list[torch.Tensor] = []
    lefts: list[torch.Tensor] = []
    left, scale = right, None
    for _ in range(steps):
        product = times(block, right)
        if betas:
            product = product - betas[-1].unsqueeze(1) * left
        if lefts:
            kept = torch.stack(lefts, dim=1)
            product = product - times(kept.transpose(1, 2), times(kept, product))
        left, alpha = normalized(product, scale)
        lefts.append(left)
        scale = alpha if scale is None else torch.maximum(scale, alpha)
        right = times(block.transpose(1, 2), left) - alpha.unsqueeze(1) * right
        # Twice is enough (Parlett, The Symmetric Eigenvalue Problem, section 6.9).
        kept = torch.stack(basis, dim=1)
        for _ in range(2):
            right = right - times(kept.transpose(1, 2), times(kept, right))
        right, beta = normalized(right, scale)
        alphas.append(alpha)
        betas.append(beta)
        basis.append(right)
    # One copy to the host.
    entries = torch.cat([torch.stack(alphas, 1), torch.stack(betas, 1)], dim=1).to("cpu", torch.float64)
    bidiagonal = torch.zeros((block.shape[0], steps, steps + 1), dtype=torch.float64)
    bidiagonal.diagonal(0, 1, 2).copy_(entries[:, :steps])
    bidiagonal.diagonal(1, 1, 2).copy_(entries[:, steps:])
    return bidiagonal, torch.stack(basis, dim=1)
