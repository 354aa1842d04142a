"""Which lines of Python look at values that come from an input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from frontend.value_reads import ValueReads

WEIGHT = torch.ones(3)


def _copied(x: torch.Tensor) -> float:
    buffer = torch.zeros(2, 3)
    buffer[0].copy_(x[0])
    return float(buffer.sum())


def reads(function: Callable[[torch.Tensor], object]) -> ValueReads:
    x = torch.randn(2, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), ValueReads([x]) as seen:
        function(x)
    return seen


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x if x.mean() > 0 else -x,
        lambda x: x * float(x.max()),
        lambda x: x[:, : int(x[0].argmax())],
        lambda x: x[0].tolist(),
        lambda x: torch.from_numpy(x.numpy() * 2),
        lambda x: np.asarray(x),
        lambda x: torch.equal(x, x + 1),
        lambda x: torch.allclose(x, x),
        lambda x: max(x[0, 0], x[0, 1]),
        lambda x: (x.exp().view(-1) + 1)[2].item(),
        _copied,
    ],
)
def test_a_value_that_reaches_python(function: Callable[[torch.Tensor], object]) -> None:
    (place,) = reads(function).places
    assert place.startswith("test_value_reads.py, line ")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x if x.shape[0] > 1 else -x,
        lambda x: x * float(WEIGHT[0]),
        lambda x: x if WEIGHT.sum() > 0 else -x,
        lambda x: sum(row for row in x),
        lambda x: [(x + 1, float(torch.zeros(2, 3).sum())) for _ in range(50)],  # storages are used again and again
        lambda x: torch.where(x > 0, x, -x),
    ],
)
def test_what_is_no_such_read(function: Callable[[torch.Tensor], object]) -> None:
    seen = reads(function)
    assert (seen.places, seen.dynamic) == ([], False)


def test_a_shape_that_depends_on_values() -> None:
    assert reads(lambda x: x[x > 0]).dynamic
    assert reads(lambda x: x if x.nonzero().shape[0] > 1 else -x).dynamic
