"""ONNX files of one layer between two 1x1 convolutions: what a layer costs where activations come and go blocked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

CHANNELS, PIXELS, LENGTH, OPSET = 64, 56, 1024, 20


@dataclass(frozen=True)
class Middle:
    """What lies between the convolutions, from tensor ``x`` to tensor ``y``.

    :ivar channels: how many it leaves of ``CHANNELS``.
    :ivar axes: 2 for images of ``PIXELS`` squared, 1 for sequences of ``LENGTH``.
    """

    nodes: list[NodeProto]
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    channels: int = CHANNELS
    axes: int = 2


def _weight(*shape: int) -> np.ndarray:
    """Normal numbers scaled for a sum over all but the first axis (He)."""
    fan_in = max(int(np.prod(shape[1:])), 1)
    values: np.ndarray = np.random.default_rng(shape).standard_normal(shape) * np.sqrt(2 / fan_in)
    return values.astype(np.float32, copy=False)


def _function(*operators: str, gate: bool = False) -> Callable[[], Middle]:
    """A chain of operators on single elements; its result multiplies ``x`` where it is a ``gate``."""

    def make() -> Middle:
        names = ["x", *(f"step{i}" for i in range(1, len(operators))), "gate" if gate else "y"]
        steps = zip(operators, names, names[1:], strict=False)
        nodes = [helper.make_node(operator, [source], [result]) for operator, source, result in steps]
        return Middle([*nodes, helper.make_node("Mul", ["x", "gate"], ["y"])] if gate else nodes)

    return make


def _operator(
    name: str, channels: int = CHANNELS, axes: int = 2, weight: tuple[int, ...] = (), **attributes: Any
) -> Callable[[], Middle]:
    def make() -> Middle:
        inputs, weights = (["x", "w"], {"w": _weight(*weight)}) if weight else (["x"], {})
        return Middle([helper.make_node(name, inputs, ["y"], **attributes)], weights, channels, axes)

    return make


def _conv(out: int, per_group: int, kernel: int, groups: int) -> Callable[[], Middle]:
    pads = [kernel // 2] * 4
    return _operator("Conv", out, weight=(out, per_group, kernel, kernel), group=groups, pads=pads)


def _transposed(kernel: int, groups: int = 1) -> Callable[[], Middle]:
    """Doubles the image; an odd kernel is padded by one, as ``ConvTranspose2d(.., 3, 2, 1, 1)`` is."""
    odd = kernel % 2
    more: dict[str, Any] = {"pads": [odd] * 4, "output_padding": [odd] * 2, "strides": [2, 2], "group": groups}
    return _operator("ConvTranspose", weight=(CHANNELS, CHANNELS // groups, kernel, kernel), **more)


def _instance_norm() -> Middle:
    scale = {"scale": _weight(CHANNELS, 1).reshape(-1) + 2, "shift": _weight(CHANNELS, 1).reshape(-1)}
    return Middle([helper.make_node("InstanceNormalization", ["x", "scale", "shift"], ["y"])], scale)


def _channel_mean() -> Middle:
    return Middle([helper.make_node("ReduceMean", ["x", "axes"], ["y"])], {"axes": np.array([1])}, channels=1)


def _product() -> Middle:
    """Attention's two products over a sequence: ``[4, L, 16] x [4, 16, L]``, and ``[4, 16, L]`` times the result."""
    shapes = {"heads": np.array([4, CHANNELS // 4, LENGTH]), "whole": np.array([1, CHANNELS, LENGTH])}
    nodes = [
        helper.make_node("Reshape", ["x", "heads"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["rows", "columns"], ["scores"]),
        helper.make_node("MatMul", ["columns", "scores"], ["mixed"]),
        helper.make_node("Reshape", ["mixed", "whole"], ["y"]),
    ]
    return Middle(nodes, shapes, axes=1)


LAYERS: Mapping[str, Callable[[], Middle]] = {
    "sigmoid": _function("Sigmoid"),
    "silu": _function("Sigmoid", gate=True),
    "tanh": _function("Tanh"),
    "gelu": _function("Gelu"),
    "exp": _function("Exp"),
    "mish": _function("Softplus", "Tanh", gate=True),
    "softmax over channels": _operator("Softmax", axis=1),
    "3x3, 4 groups": _conv(CHANNELS, CHANNELS // 4, 3, 4),
    "3x3, 16 groups": _conv(CHANNELS, CHANNELS // 16, 3, 16),
    "1x1, 4 groups": _conv(CHANNELS, CHANNELS // 4, 1, 4),
    "depth multiplier 2": _conv(2 * CHANNELS, 1, 3, CHANNELS),
    "transposed k2 s2": _transposed(2),
    "transposed k3 s2": _transposed(3),
    "transposed k3 s2, depthwise": _transposed(3, CHANNELS),
    "1-D, k3": _operator("Conv", axes=1, weight=(CHANNELS, CHANNELS, 3), pads=[1, 1]),
    "average pool, padding not counted": _operator("AveragePool", kernel_shape=[3, 3], pads=[1] * 4),
    "instance norm": _instance_norm,
    "mean over channels": _channel_mean,
    "products of activations": _product,
}
"""By the name that a table shows."""


def _model(middle: Middle) -> onnx.ModelProto:
    ones = [1] * middle.axes
    size = [PIXELS, PIXELS] if middle.axes == 2 else [LENGTH]
    weights = {
        **middle.weights,
        "first": _weight(CHANNELS, CHANNELS, *ones),
        "last": _weight(CHANNELS, middle.channels, *ones),
    }
    nodes = [
        helper.make_node("Conv", ["image", "first"], ["x"]),
        *middle.nodes,
        helper.make_node("Conv", ["y", "last"], ["result"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, CHANNELS, *size])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, None)
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "layer", [image], [result], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    return onnx.shape_inference.infer_shapes(model)


def write_layers(folder: Path) -> Iterator[tuple[str, Path]]:
    """Writes a file for each of ``LAYERS`` into the folder; yields names and files."""
    for name, make in LAYERS.items():
        path = folder / f"{name.replace(' ', '_').replace(',', '')}.onnx"
        onnx.save(_model(make()), path)
        yield name, path
