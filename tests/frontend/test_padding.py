"""``padding="same"``, in figures."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch import nn

from frontend.agreement import OnnxRuntime, worst_difference
from frontend.onnx_file import to_onnx
from mobilenet_tvm.base.answers import FileNotes

CASES = [
    (nn.Conv2d(2, 3, 3, padding="same", dilation=2), (11, 12), [2, 2, 2, 2]),
    (nn.Conv2d(2, 3, 4, padding="same"), (11, 12), [1, 1, 2, 2]),
    (nn.Conv2d(2, 4, (2, 5), padding="same", dilation=(3, 1), groups=2), (11, 12), [1, 2, 2, 2]),
    (nn.Conv1d(2, 3, 4, padding="same", dilation=3), (20,), [4, 5]),
    (nn.Conv1d(2, 3, 4, padding="valid"), (20,), [0, 0]),
    (nn.Conv3d(2, 3, (1, 2, 3), padding="same"), (4, 5, 6), [0, 0, 1, 0, 1, 1]),
]


@pytest.mark.parametrize(("module", "size", "pads"), CASES)
def test_pads_are_pytorchs(module: nn.Module, size: tuple[int, ...], pads: list[int]) -> None:
    x = torch.randn(1, 2, *size, generator=torch.Generator().manual_seed(0))
    data = to_onnx(module.eval(), {"input": x}, ("logits",), "same", FileNotes())
    (node,) = onnx.load_model_from_string(data).graph.node
    attributes = {attribute.name: attribute for attribute in node.attribute}
    assert "auto_pad" not in attributes
    assert list(attributes["pads"].ints) == pads
    with torch.no_grad():
        assert worst_difference(OnnxRuntime(data).run({"input": x}), {"logits": module(x)}).fits
