"""Comparing what ONNX Runtime and PyTorch computed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from frontend.agreement import worst_difference

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("actual", "expected", "fits"),
    [
        ([1.0, 3.0], [1.0, 3.0], True),
        ([1.0, 3.00019], [1.0, 3.0], True),
        ([1.0, 3.0003], [1.0, 3.0], False),
        ([1.0, NAN], [1.0, 3.0], False),
        ([1.0, 2.0], [1.0, NAN], False),
        ([1.0, NAN], [1.0, NAN], True),
        ([INF, 1.0, 2.0], [INF, 1.0, 2.0], True),
        ([-INF, 1.0, 2.0], [INF, 1.0, 2.0], False),
        ([1.00001], [1.0], True),  # one value has no range
        ([1.001], [1.0], False),
        ([0.0], [0.0], True),
        ([[1.0]], [1.0], False),
    ],
)
def test_floating_point(actual: list[float], expected: list[float], fits: bool) -> None:
    assert worst_difference([np.array(actual, np.float32)], {"y": torch.tensor(expected)}).fits == fits


def test_integers_agree_but_for_ties_and_the_worst_output_is_named() -> None:
    classes = torch.arange(2000)
    few, many = classes.numpy().copy(), classes.numpy().copy()
    few[7], many[:10] = 0, -1
    assert worst_difference([few], {"classes": classes}).fits
    worst = worst_difference([few, many], {"good": classes, "bad": classes})
    assert (worst.output, worst.fits) == ("bad", False)
