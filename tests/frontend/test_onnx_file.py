"""The ONNX bytes that a module becomes."""

from __future__ import annotations

from collections import Counter

import onnx
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from frontend import zoo
from frontend.folding import fold_batch_norms
from frontend.onnx_file import to_onnx
from frontend.random_weights import make_alive
from mobilenet_tvm.base.answers import FileNotes
from mobilenet_tvm.base.errors import UserError


def exported(module: nn.Module, example: torch.Tensor, name: str) -> bytes:
    return to_onnx(module, {"input": example}, ("logits",), name, FileNotes())


def graph_of(name: str) -> onnx.GraphProto:
    entry = zoo.find(name)
    module = entry.module()
    make_alive(module, name, (3, 64, 64))
    side = entry.resolution
    return onnx.load_model_from_string(exported(fold_batch_norms(module), torch.zeros(1, 3, side, side), name)).graph


def test_the_graph_holds_the_layers_under_their_own_names_and_nothing_else() -> None:
    graph = graph_of("mobilenet_v1_0.25_128")
    kinds = Counter(node.op_type for node in graph.node)
    assert kinds == {"Conv": 27, "Relu": 27, "GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1}
    assert "blocks.12.pointwise.conv.weight" in {weight.name for weight in graph.initializer}
    assert graph.name == "mobilenet_v1_0.25_128"
    assert [value.name for value in (*graph.input, *graph.output)] == ["input", "logits"]


def test_equal_weights_leave_no_identity_nodes() -> None:
    graph = graph_of("mobilenet_v3_small_1.0_224")  # the biases of its squeezes are all zero
    assert "Identity" not in {node.op_type for node in graph.node}
    assert sum(node.op_type == "Conv" for node in graph.node) == 52


class Sequence(nn.Module):
    """A convolution, then a function."""

    def __init__(self, function: object) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self.norm(self.conv(x)))  # type: ignore[no-any-return, operator]


def test_a_users_batch_normalisation_is_folded_by_the_exporter() -> None:
    data = exported(Sequence(torch.relu).eval(), torch.zeros(1, 3, 8, 8), "mine")
    assert [node.op_type for node in onnx.load_model_from_string(data).graph.node] == ["Conv", "Relu"]


def test_what_cannot_be_traced_is_captured_and_leaves_no_trace_of_this_machine() -> None:
    module = Sequence(lambda y: F.adaptive_avg_pool2d(y, (3, 4))).eval()  # 18 is no multiple of 4
    data = exported(module, torch.zeros(1, 3, 20, 20), "mine")
    assert data == exported(module, torch.ones(1, 3, 20, 20), "mine")
    assert b".py" not in data
    graph = onnx.load_model_from_string(data).graph
    assert [value.name for value in (*graph.input, *graph.output)] == ["input", "logits"]


def test_an_operator_that_no_exporter_knows_is_named() -> None:
    with pytest.raises(UserError, match="aten::i0"):
        exported(Sequence(torch.special.i0).eval(), torch.zeros(1, 3, 8, 8), "mine")
