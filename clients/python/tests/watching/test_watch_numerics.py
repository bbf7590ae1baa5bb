"""The reductions below the readers, with sizes and values that few layers have."""

from __future__ import annotations

import math
import weakref

import pytest
import torch

from nnmonitor.watching.numerics import pieces, spectral
from nnmonitor.watching.numerics.pieces import LONGEST_ROW, norm_of, row_length
from nnmonitor.watching.numerics.reduction import Reducer
from nnmonitor.watching.numerics.transfer import Transfer
from nnmonitor.watching.readers.updates import Updates

NORM, SUM = 5e-6, 2e-5
# Below and above the size from which a tensor is reduced alone, with and without a divisor that is a power of two.
SIZES = [1, 7, 31, 32, 96, 1_000, 1_024, 1_025, 3_072, 9_973, 16_384, 16_385, 20_011, 49_152, 100_003, 131_072, 250_000]


class Buffer(bytearray):
    """Memory of a tensor to which a weak reference can be kept."""


def values_of(kind: str, size: int, dtype: torch.dtype) -> torch.Tensor:
    values = torch.randn(size, dtype=torch.float64)
    scaled = {
        "normal": values, "far from zero": values + 500.0, "constant": torch.ones(size), "zero": torch.zeros(size),
        "huge": values * 1e30, "vanishing": values * 1e-25}[kind]
    return scaled.to(dtype)


def check(reducer: Reducer, key: object, tensors: list[torch.Tensor]) -> None:
    found = reducer.moments[key]
    double = torch.cat([tensor.double().reshape(-1) for tensor in tensors])
    norm = torch.linalg.vector_norm(double).item()
    assert found.count == double.numel()
    assert (found.low, found.high) == (double.min().item(), double.max().item())
    assert found.norm == pytest.approx(norm, rel=NORM)
    assert found.mean == pytest.approx(double.mean().item(), abs=SUM * norm / math.sqrt(double.numel()))
    std = double.std(unbiased=False).item()
    assert found.std == pytest.approx(std, rel=1e-5, abs=1e-7 * norm / math.sqrt(double.numel()))
    assert found.absolute == pytest.approx(double.abs().sum().item(), rel=NORM)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("kind", ["normal", "far from zero", "constant", "zero", "huge", "vanishing"])
@pytest.mark.parametrize("changes", [False, True])
def test_moments_of_all_sizes_equal_references(kind, dtype, changes):
    torch.manual_seed(0)
    reducer = Reducer(Transfer())
    for _ in range(2):
        transfer = Transfer()
        reducer.begin(transfer)
        tensors = [values_of(kind, size, dtype) for size in SIZES]
        references = [tensor.clone() for tensor in tensors]
        for index, tensor in enumerate(tensors):
            reducer.add(index, tensor, changes, absolute=True)
            if changes:
                tensor.fill_(7.0)
        reducer.finish()
        transfer.run()
        for index, reference in enumerate(references):
            check(reducer, index, [reference])


def test_tensors_of_one_key_and_of_several_kinds_add_up():
    torch.manual_seed(0)
    transfer = Transfer()
    reducer = Reducer(transfer)
    tensors = [
        torch.randn(40, 50), torch.randn(20_000), torch.randn(3, 5).double(), torch.randn(64).half(),
        torch.randn(30, 40, 50).transpose(0, 2)]
    for tensor in tensors:
        reducer.add("layer", tensor, absolute=True)
    reducer.add("other", torch.ones(5), absolute=True)
    reducer.finish()
    transfer.run()
    check(reducer, "layer", tensors)
    check(reducer, "other", [torch.ones(5)])


@pytest.mark.parametrize("size", [100, 16_384, 131_072])
def test_values_that_are_not_finite_are_counted_and_then_forgotten(size):
    """A tensor that needed double precision once is reduced in single precision again."""
    torch.manual_seed(0)
    reducer = Reducer(Transfer())
    for changes in (False, True):
        for broken in (True, False):
            reducer.begin(Transfer())
            values = torch.randn(size)
            if broken:
                values[3], values[50] = math.nan, math.inf
            reducer.add("layer", values, changes, absolute=True)
            reducer.finish()
            assert reducer.moments["layer"].nonfinite == (2 if broken else 0)
            assert math.isnan(reducer.moments["layer"].low) == broken
            assert ("layer" in reducer._inexact) == broken
        # The last report was exact, though in double precision.
        reducer.begin(Transfer())
        reducer.add("layer", values, changes, absolute=True)
        assert not reducer._in_double
        reducer.finish()
        check(reducer, "layer", [values])


@pytest.mark.parametrize("size", [100_000, 100_003])
def test_an_output_is_not_kept_alive(size):
    """Its memory would be missing in the backward pass, which costs more than all reductions."""
    reducer = Reducer(Transfer())
    buffer = Buffer(4 * size)
    reference = weakref.ref(buffer)
    output = torch.frombuffer(buffer, dtype=torch.float32)
    output.normal_()
    reducer.add("layer", output, changes=True)
    del output, buffer
    assert reference() is None
    reducer.finish()
    assert reducer.moments["layer"].count == size


def test_changes_of_all_sizes_equal_references():
    torch.manual_seed(0)
    updates = Updates()
    for scale in (1.0, 1e-3, 0.0, 1e-22):
        weights = [torch.randn(size) for size in SIZES] + [torch.randn(3, 40).double(), torch.randn(300, 100).half()]
        updates.begin()
        before = [weight.double().clone() for weight in weights]
        for index, weight in enumerate(weights):
            updates.keep(index % 15, weight)
        updates.complete()
        with torch.no_grad():
            for weight in weights:
                # Of weights of size 1, single precision would not hold the smallest change.
                weight.mul_(scale)
        transfer = Transfer()
        found = updates.measure(transfer)
        transfer.run()
        for key in range(15):
            changes = [
                (weight.double() - old).reshape(-1)
                for index, (weight, old) in enumerate(zip(weights, before)) if index % 15 == key]
            norm = torch.linalg.vector_norm(torch.cat(changes)).item()
            assert found[key].norm == pytest.approx(norm, rel=NORM, abs=1e-300)
            assert found[key].count == sum(change.numel() for change in changes)


def test_outputs_of_varying_sizes_leave_nothing_behind(monkeypatch):
    monkeypatch.setattr(pieces, "_MOST_PLACES", 50)
    reducer = Reducer(Transfer())
    for report in range(200):
        reducer.begin(Transfer())
        for layer in range(3):
            reducer.add(layer, torch.ones(1024 * (20 + (report * 7 + layer * 3) % 191)), changes=True)
        reducer.finish()
        assert len(reducer._pieces._columns) <= 50 + 3


def test_rows_divide_the_sizes():
    for size in range(1, LONGEST_ROW + 1):
        assert size % row_length(size) == 0
    for size in (16_385, 20_011, 49_152, 100_003, 589_824):
        assert 512 <= row_length(size) <= LONGEST_ROW
    assert 589_824 % row_length(589_824) == 0


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, 0.0])
def test_norms_of_gradients_that_show_clipping(scale):
    values = torch.randn(65_536, dtype=torch.float64).mul_(scale).float()
    reference = torch.linalg.vector_norm(values.double()).item()
    assert norm_of(values).item() == pytest.approx(reference, rel=NORM)


def test_a_settled_matrix_takes_one_step_at_every_second_report(monkeypatch):
    """A second step finds a singular value that has overtaken the largest, so no two reports go without."""
    torch.manual_seed(0)
    permitted: list[float] = []
    original = spectral.take_two_steps

    def counted(matrix, start, enough=0.0):
        permitted.append(enough)
        return original(matrix, start, enough)

    monkeypatch.setattr(spectral, "take_two_steps", counted)
    norms = spectral.SpectralNorms()
    matrix = torch.randn(200, 300)
    matrix += 3.0 * torch.outer(torch.randn(200), torch.randn(300)) / 10.0
    for _step in range(20):
        norms.begin()
        norm = norms.measure_at_once("w", matrix)
        if norm is None:
            norm = norms.measure([("w", matrix)])["w"]
        assert norm == pytest.approx(torch.linalg.matrix_norm(matrix.double(), 2).item(), rel=1e-3)
        matrix += 1e-4 * torch.randn(200, 300)
    assert any(permitted)
    assert not any(one and other for one, other in zip(permitted, permitted[1:]))


def test_a_matrix_may_be_measured_alone_or_among_many():
    """The vector to begin from is padded where many small matrices share one block."""
    torch.manual_seed(0)
    norms = spectral.SpectralNorms()
    matrices = [(index, torch.randn(20 + index, 60)) for index in range(30)]
    for count in (30, 5, 30, 1, 12, 11):
        norms.begin()
        for key, found in norms.measure(matrices[:count]).items():
            reference = torch.linalg.matrix_norm(matrices[key][1].double(), 2).item()
            assert found == pytest.approx(reference, rel=5e-3)
