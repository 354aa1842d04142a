"""Shapes as users write them."""

from __future__ import annotations

import pytest
from torch import nn

from frontend.input_shapes import input_shapes, read_shape
from mobilenet_tvm.base.errors import UserError

IMAGES, SIGNALS, VOLUMES, NONE = nn.Conv2d(3, 4, 3), nn.Conv1d(3, 4, 3), nn.Conv3d(3, 4, 3), nn.Linear(3, 4)


@pytest.mark.parametrize(
    ("module", "shape", "batch", "whole"),
    [
        (IMAGES, (3, 8, 9), 1, (1, 3, 8, 9)),
        (IMAGES, (2, 3, 8, 9), 1, (2, 3, 8, 9)),
        (IMAGES, (2, 3, 8, 9), 5, (5, 3, 8, 9)),
        (SIGNALS, (3, 40), 4, (4, 3, 40)),
        (SIGNALS, (2, 3, 40), 1, (2, 3, 40)),
        (VOLUMES, (3, 4, 8, 8), 1, (1, 3, 4, 8, 8)),
        (NONE, (16,), 2, (2, 16)),
        (NONE, (2, 16), 1, (2, 16)),
        (NONE, (3, 8, 9), 1, (1, 3, 8, 9)),
    ],
)
def test_the_first_convolution_says_whether_a_batch_is_there(
    module: nn.Module, shape: tuple[int, ...], batch: int, whole: tuple[int, ...]
) -> None:
    assert input_shapes(shape, nn.Sequential(nn.Identity(), module), batch) == {"input": whole}


def test_several_inputs_have_a_shape_each() -> None:
    assert input_shapes({"image": [3, 8, 8], "mask": (1, 8, 8), "age": (1,)}, IMAGES, 2) == {
        "image": (2, 3, 8, 8), "mask": (2, 1, 8, 8), "age": (2, 1),
    }  # fmt: skip
    with pytest.raises(UserError, match="names none"):
        input_shapes({}, IMAGES, 1)


@pytest.mark.parametrize("shape", ["3x224x224", [], [3, 0, 224], [3, 2.5, 4], {"a": [1], "b": [1]}, 7])
def test_shapes_that_are_none(shape: object) -> None:
    with pytest.raises(UserError, match="shape"):
        read_shape(shape)
