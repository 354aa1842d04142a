"""Models that cannot be compiled: one line names the operator and the node, and says what would be right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.importer.import_onnx import import_onnx

F = np.float32
node = helper.make_node
IN_TRAINING = "is in training mode"
OWN = "is ONNX Runtime's own, written by its optimiser: compile the file as it was before"
DEPENDS = "makes a tensor whose shape depends on the data"
CUT = f"{DEPENDS}: compile the network up to there, with --outputs"


def _model(
    nodes: list[NodeProto],
    outputs: tuple[str, ...] = ("y",),
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
    **constants: Any,
) -> ModelProto:
    data = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 6, 6])
    results = [helper.make_tensor_value_info(name, kind, None) for name in outputs]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("theirs", 1)]
    graph = helper.make_graph(nodes, "graph", [data], results, weights)
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _line(model: ModelProto, folder: Path) -> str:
    onnx.save(model, folder / "model.onnx")
    with pytest.raises(UserError) as raised:
        import_onnx(folder / "model.onnx")
    return str(raised.value)


STATISTICS = {name: np.ones(4, F) for name in ("g", "b", "m", "v")}
NORM = ["x", "g", "b", "m", "v"]
TRAINING = {
    "batch norm": _model(
        [node("BatchNormalization", NORM, ["y", "rm", "rv"], "n", training_mode=1)], ("y", "rm"), 15, **STATISTICS
    ),
    "batch norm, running statistics unread": _model(
        [node("BatchNormalization", NORM, ["y"], "n", training_mode=1)], opset=14, **STATISTICS
    ),
    "batch norm before it had a mode": _model(
        [node("BatchNormalization", NORM, ["y", "rm"], "n")], ("y", "rm"), 9, **STATISTICS
    ),
    "dropout": _model([node("Dropout", ["x", "r", "t"], ["y"], "n")], r=F(0.5), t=np.array(True)),
}


@pytest.mark.parametrize("model", TRAINING.values(), ids=TRAINING)
def test_training_mode(model: ModelProto, tmp_path: Path) -> None:
    assert re.search(rf"operator \w+ \(node 'n'\) {IN_TRAINING}.*evaluation mode", _line(model, tmp_path))


@pytest.mark.parametrize(
    ("domain", "operator", "reason"),
    [
        ("com.microsoft", "FusedConv", OWN),
        ("com.microsoft", "Attention", OWN),
        ("theirs", "Relu", "is of the domain 'theirs', which is not ONNX's"),
    ],
)
def test_operators_of_other_domains(domain: str, operator: str, reason: str, tmp_path: Path) -> None:
    model = _model([node(operator, ["x"], ["y"], "n", domain=domain)])
    assert f"operator {operator} (node 'n') {reason}" in _line(model, tmp_path)


def _branch(operator: str) -> onnx.GraphProto:
    result = helper.make_tensor_value_info(operator, TensorProto.FLOAT, None)
    return helper.make_graph([node(operator, ["x"], [operator])], operator, [], [result])


WEIGHTS = {"w": np.ones((1, 8, 6), F), "r": np.ones((1, 8, 2), F), "shape": np.array([4, 6, 6])}
KINDS = {
    "recurrent": (
        [
            node("Reshape", ["x", "shape"], ["rows"]),
            node("LSTM", ["rows", "w", "r"], ["y"], "n", hidden_size=2),
        ],
        "is recurrent",
    ),
    "branch": (
        [
            node("ReduceMax", ["x"], ["top"], keepdims=0),
            node("Cast", ["top"], ["is_some"], to=TensorProto.BOOL),
            node("If", ["is_some"], ["y"], "n", then_branch=_branch("Relu"), else_branch=_branch("Exp")),
        ],
        "branches on the data",
    ),
    "sequence": (
        [node("SplitToSequence", ["x"], ["parts"], "n", axis=1), node("ConcatFromSequence", ["parts"], ["y"], axis=1)],
        "is about a sequence of tensors",
    ),
    "random": ([node("RandomNormalLike", ["x"], ["noise"], "n"), node("Add", ["x", "noise"], ["y"])], "draws random"),
    "unconverted": ([node("Det", ["x"], ["y"], "n")], "is not supported"),
}


@pytest.mark.parametrize(("nodes", "reason"), KINDS.values(), ids=KINDS)
def test_kinds_of_operators(nodes: list[NodeProto], reason: str, tmp_path: Path) -> None:
    line = _line(_model(nodes, **WEIGHTS), tmp_path)
    assert re.search(rf"operator \w+ \(node 'n'\) {reason}", line), line


@pytest.mark.parametrize("operator", ["AveragePool", "LpPool", "MaxPool"])
def test_a_dilated_pooling_that_pads_to_the_same_size(operator: str, tmp_path: Path) -> None:
    pool = node(operator, ["x"], ["y"], "n", kernel_shape=[1, 2], dilations=[1, 2], auto_pad="SAME_UPPER")
    assert re.search(
        rf"operator {operator} \(node 'n'\) has dilations.*give pads", _line(_model([pool], opset=19), tmp_path)
    )


def test_no_output(tmp_path: Path) -> None:
    assert "has no output" in _line(_model([node("Relu", ["x"], ["y"])], ()), tmp_path)


def test_an_output_that_is_a_sequence(tmp_path: Path) -> None:
    model = _model([node("SplitToSequence", ["x"], ["y"], "n", axis=1)], ())
    model.graph.output.append(helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, None))
    assert "sequence" in _line(model, tmp_path)


BEFORE = [node("Relu", ["x"], ["/relu"]), node("Exp", ["/relu"], ["e.1"])]
SHAPES = {
    "indices of what is not zero": ([*BEFORE, node("NonZero", ["e.1"], ["y"], "n")], f"NonZero.*{CUT} e\\.1,"),
    "another branch is an output": (
        [*BEFORE, node("Sqrt", ["/relu"], ["side"]), node("NonZero", ["e.1"], ["y"], "n")],
        f"NonZero.*{CUT} e\\.1,side,",
    ),
    "a computed end": (
        [
            node("ReduceMax", ["x"], ["top"], keepdims=0),
            node("Cast", ["top"], ["end"], to=TensorProto.INT64),
            node("Reshape", ["end", "one"], ["ends"]),
            node("Slice", ["x", "zero", "ends", "one"], ["y"], "n"),
        ],
        f"Slice.*{CUT} ends,",
    ),
    "boxes that overlap too much": (
        [
            node("Reshape", ["x", "boxes"], ["b"]),
            node("ReduceMax", ["b", "two"], ["m"]),
            node("Transpose", ["m"], ["s"], perm=[0, 2, 1]),
            node("NonMaxSuppression", ["b", "s"], ["chosen"], "n"),
            node("Gather", ["chosen", "zero"], ["y"]),
        ],
        f"NonMaxSuppression.*{CUT} b,s,",
    ),
    "at once": ([node("NonZero", ["x"], ["y"], "n")], f"NonZero.*{DEPENDS}: do this outside"),
}


@pytest.mark.parametrize(("nodes", "line"), SHAPES.values(), ids=SHAPES)
def test_shapes_that_depend_on_the_data(nodes: list[NodeProto], line: str, tmp_path: Path) -> None:
    made = {name for step in nodes for name in step.output}
    outputs = ("y", "side") if "side" in made else ("y",)
    constants = {
        "one": np.array([1]),
        "zero": np.array([0]),
        "two": np.array([2]),
        "boxes": np.array([1, 36, 4]),
    }
    model = _model(nodes, outputs, kind=TensorProto.UNDEFINED, opset=18, **constants)
    model = onnx.shape_inference.infer_shapes(model)
    assert re.search(rf"operator {line}".replace(".*", r" \(node 'n'\).*", 1), _line(model, tmp_path))


def test_a_dropout_that_trains_but_drops_nothing(tmp_path: Path) -> None:
    model = _model([node("Dropout", ["x", "r", "t"], ["y"], "n")], r=F(0), t=np.array(True))
    onnx.save(model, tmp_path / "model.onnx")
    assert import_onnx(tmp_path / "model.onnx")["main"] is not None
