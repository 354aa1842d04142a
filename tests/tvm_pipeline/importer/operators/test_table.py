"""The converters beside ONNX Runtime, with the attributes that TVM's own get wrong or do not take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from onnx_network import Network
from operator_outcome import live_data, node_model, outcome_beside_onnxruntime
from outcome import REFUSED, RIGHT, is_named
from verdict import Verdict, judge

from tvm_pipeline.hardware.target import CpuTarget

_RANDOM = np.random.default_rng(1)


def _weight(*shape: int) -> np.ndarray:
    return np.asarray(_RANDOM.standard_normal(shape), np.float32)


def _ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@dataclass(frozen=True)
class _Case:
    operator: str
    shape: tuple[int, ...]
    constants: tuple[np.ndarray | None, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    results: int = 1
    opset: int = 21

    def __str__(self) -> str:
        return f"{self.operator} {self.attributes}"


_IMAGE = (2, 4, 7, 9)
_WINDOW = {"kernel_shape": [3, 2], "strides": [2, 3], "pads": [1, 0, 2, 1]}
_CASES = [
    _Case("MaxPool", _IMAGE, (), _WINDOW | {"ceil_mode": 1}, results=2),
    _Case("MaxPool", _IMAGE, (), {"kernel_shape": [2, 3], "dilations": [2, 1], "storage_order": 1}, results=2),
    _Case("MaxPool", (1, 3, 11), (), {"kernel_shape": [3], "strides": [2], "auto_pad": "SAME_LOWER"}),
    _Case("AveragePool", _IMAGE, (), _WINDOW | {"ceil_mode": 1, "count_include_pad": 1}),
    _Case("AveragePool", _IMAGE, (), _WINDOW | {"ceil_mode": 1}),
    _Case("AveragePool", _IMAGE, (), _WINDOW | {"dilations": [2, 2], "count_include_pad": 0}),
    _Case("AveragePool", (1, 2, 5, 6, 7), (), {"kernel_shape": [2, 2, 3], "ceil_mode": 1, "strides": [2, 2, 2]}),
    _Case("LpPool", _IMAGE, (), _WINDOW | {"p": 3, "ceil_mode": 1}),
    _Case("GlobalLpPool", _IMAGE, (), {"p": 1}),
    _Case("ConvTranspose", (1, 4, 5, 6), (_weight(4, 2, 3, 3),), {"strides": [2, 2], "output_shape": [10, 12]}),
    _Case(
        "ConvTranspose",
        (1, 4, 5, 6),
        (_weight(4, 2, 3, 3), _weight(4)),
        {"group": 2, "strides": [2, 3], "dilations": [2, 1], "pads": [1, 0, 0, 2], "output_padding": [1, 2]},
    ),
    _Case("ConvTranspose", (1, 4, 9), (_weight(4, 3, 4), _weight(3)), {"strides": [3], "auto_pad": "SAME_UPPER"}),
    _Case(
        "ConvTranspose", (1, 2, 3, 4, 3), (_weight(2, 2, 2, 3, 2),), {"strides": [2, 1, 2], "output_shape": [7, 6, 7]}
    ),
    _Case("Clip", _IMAGE, (np.float32(1), np.float32(-1)), opset=13),
    _Case("OneHot", (3, 4), (_ints(5), _ints(2, 7)), {"axis": 1}),
    _Case("OneHot", (6,), (np.array(4, np.float32), np.array([0, 1], np.float32))),
    _Case("Dropout", (3, 4), (), results=2),
    _Case("LayerNormalization", (2, 3, 4), (_weight(3, 4), _weight(3, 4)), {"axis": 1}, results=3, opset=17),
    _Case("RMSNormalization", (2, 3, 4), (_weight(2, 3, 4),), {"axis": 0}, opset=23),
    _Case("GroupNormalization", (2, 6, 3, 4), (_weight(6), _weight(6)), {"num_groups": 3}),
    _Case("LpNormalization", (2, 3, 4), (), {"axis": 1, "p": 1}),
    _Case("Sinh", (2, 300)),
    _Case("Asinh", (2, 300)),
    _Case("Atanh", (2, 300)),
    _Case("Pow", (2, 5), (_ints(2, 3, 0, 1, 4),)),
    _Case("Mod", (2, 5), (np.float32(-0.7),), {"fmod": 1}),
    _Case("ThresholdedRelu", (2, 50), (), {"alpha": 0.3}),
    _Case("IsInf", (2, 5), (), {"detect_negative": 0}),
    _Case("SpaceToDepth", (1, 3, 4, 6), (), {"blocksize": 2}),
    _Case(
        "Col2Im", (1, 8, 12), (_ints(4, 6), _ints(2, 2)), {"strides": [2, 1], "pads": [1, 0, 1, 1], "dilations": [1, 3]}
    ),
    _Case("Compress", (3, 4), (np.array([True, False, True]),), {"axis": 0}),
    _Case("ReverseSequence", (4, 3, 2), (_ints(1, 4, 2),), {"time_axis": 0, "batch_axis": 1}),
    _Case("Slice", (5, 6), (_ints(-1, 1), _ints(-100, 100), _ints(0, 1), _ints(-2, 3))),
    _Case("Slice", (5, 6), (_ints(4), _ints(2), _ints(1))),
    _Case("DFT", (2, 6, 1), (None, np.int64(1)), {"onesided": 1}, opset=20),
    _Case("CumSum", (3, 5), (np.int64(1),), {"exclusive": 1, "reverse": 1}),
    _Case("RotaryEmbedding", (1, 2, 3, 8), (_weight(1, 3, 4), _weight(1, 3, 4)), opset=23),
    _Case("CenterCropPad", (9, 4, 3), (_ints(6, 8),), {"axes": [0, 1]}),
]


@pytest.mark.parametrize("case", _CASES, ids=str)
def test_converter_agrees_with_onnxruntime(target: CpuTarget, case: _Case) -> None:
    model = node_model(
        case.operator, case.shape, case.constants, opset=case.opset, results=case.results, **case.attributes
    )
    data = live_data(case.shape)
    if case.operator in ("OneHot", "Atanh"):
        data = np.clip(np.round(data), -4, 4) if case.operator == "OneHot" else np.tanh(data)
    outcome = outcome_beside_onnxruntime(model, target, data)
    assert outcome.kind == RIGHT, outcome


_REFUSED = [
    _Case("NonZero", (3, 4)),
    _Case("RoiAlign", (1, 2, 8, 8), (np.array([[0, 0, 4, 4]], np.float32), _ints(0)), {"sampling_ratio": 0}),
    _Case("BatchNormalization", (1, 2, 3, 3), (_weight(2),) * 3 + (np.ones(2, np.float32),), {"training_mode": 1}, 3),
    _Case("Det", (3, 3)),
]


@pytest.mark.parametrize("case", _REFUSED, ids=str)
def test_refusal_names_operator_and_node(target: CpuTarget, case: _Case) -> None:
    model = node_model(
        case.operator, case.shape, case.constants, opset=case.opset, results=case.results, **case.attributes
    )
    outcome = outcome_beside_onnxruntime(model, target)
    assert outcome.kind == REFUSED, outcome
    assert is_named(model.graph.node[0], outcome.detail)


@pytest.mark.parametrize("other", [True, False])
def test_truth_values_are_compared(other: bool) -> None:
    network = Network()
    is_positive = network.node("Greater", network.input([3, 37]), network.constant(0.0))
    model = network.output(network.node("Equal", is_positive, network.constant(other, np.bool_))).model()
    data = live_data((3, 37))
    assert judge(model, [data], [(data > 0) == other]) == Verdict("right")
