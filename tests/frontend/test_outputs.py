"""Outputs, whatever they are packed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch

from frontend.outputs import Flat, distinct, is_flat, named_outputs
from mobilenet_tvm.base.errors import UserError

A, B = torch.zeros(1), torch.ones(2)


class Boxes(NamedTuple):
    corners: torch.Tensor
    scores: torch.Tensor


@dataclass
class Features:
    low: torch.Tensor
    high: Boxes
    left_out: torch.Tensor | None = None


@pytest.mark.parametrize(
    ("output", "names", "flat"),
    [
        (A, ["logits"], True),
        ((A, B), ["output_0", "output_1"], True),
        ([A, [B, A]], ["output_0", "output_1_0", "output_1_1"], False),
        ({"out": A, "aux": None}, ["out"], False),
        (Boxes(A, B), ["corners", "scores"], True),
        (Features(A, Boxes(A, B)), ["low", "high_corners", "high_scores"], False),
    ],
)
def test_names(output: object, names: list[str], flat: bool) -> None:
    assert list(named_outputs(output, "Net")) == names
    assert is_flat(output) == flat
    module = Flat(torch.nn.Identity(), "Net")
    assert all(left is right for left, right in zip(module(output), named_outputs(output, "Net").values(), strict=True))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (None, "Net returns NoneType, and an exported module returns tensors"),
        ({"a": {"n": 3}}, "Net returns int as a_n,"),
        ([None], "Net returns no tensor"),
        (torch.zeros(2, dtype=torch.complex64), "a tensor of torch.complex64"),
        ({"a": [A], "a_0": B}, "two outputs of one name: a_0, a_0"),
    ],
)
def test_what_is_no_output(output: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        named_outputs(output, "Net")


def test_an_output_is_not_called_as_an_input() -> None:
    assert distinct(["x", "y"], ["x"]) == ("x_out", "y")
