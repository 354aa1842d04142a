"""Small ONNX files that were got wrong once, or refused with a line that helped nobody, each for a kind of fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Constants = Mapping[str, Any]
RANDOM = np.random.default_rng(0)
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


@dataclass(frozen=True)
class Case:
    """A file.

    :ivar refusal: a pattern of the one line that refuses it, with the node or the tensor; None where it compiles and
        every output has the file's shape, dtype and numbers.
    """

    name: str
    model: onnx.ModelProto
    refusal: str | None = None


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str] = ("y",), **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs, outputs, **attributes)


def weight(*shape: int) -> np.ndarray:
    return (RANDOM.standard_normal(shape) * 0.2).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def network(
    nodes: Sequence[NodeProto],
    shape: Sequence[int],
    constants: Constants | None = None,
    opset: int = 13,
    *,
    ir: int = 8,
    outputs: Mapping[str, int] | None = None,
    infer: bool = True,
    listed: bool = False,
) -> onnx.ModelProto:
    """A network with one float32 input ``x``.

    :param outputs: their types by their names; ``y``, float32, by default.
    :param infer: write the shapes of values into the file.
    :param listed: list initialisers as graph inputs, as IR 3 had to.
    """
    inputs = [helper.make_tensor_value_info("x", FLOAT, shape)]
    initialisers = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    if listed:
        inputs += [helper.make_tensor_value_info(c.name, c.data_type, list(c.dims)) for c in initialisers]
    kinds = {"y": FLOAT} if outputs is None else outputs
    results = [helper.make_tensor_value_info(name, kind, None) for name, kind in kinds.items()]
    graph = helper.make_graph(nodes, "g", inputs, results, initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return onnx.shape_inference.infer_shapes(model) if infer else model


def _resize(mode: str, coordinates: str, scale: float, nearest: str = "round_prefer_floor") -> onnx.ModelProto:
    """A scale times a size that is no whole number: the scale is to be used as given."""
    extra = {"nearest_mode": nearest} if mode == "nearest" else {}
    resize = node("Resize", ["x", "", "s"], mode=mode, coordinate_transformation_mode=coordinates, **extra)
    return network([resize], [1, 1, 5, 5], {"s": np.array([1, 1, scale, scale], np.float32)})


def _resizing() -> Iterator[Case]:
    twice = {"s": np.array([1, 1, 2, 2], np.float32)}
    old = {"mode": "nearest"}
    upsample = node("Upsample", ["x"], scales=[1.0, 1.0, 2.0, 2.0], **old)
    yield Case("upsample7_nearest", network([upsample], [1, 3, 13, 13], {}, 7, ir=4))
    yield Case("upsample9_nearest", network([node("Upsample", ["x", "s"], **old)], [1, 3, 13, 13], twice, 9, ir=4))
    yield Case("resize10_nearest", network([node("Resize", ["x", "s"], **old)], [1, 3, 13, 13], twice, 10, ir=4))
    yield Case("resize_linear_2.5", _resize("linear", "half_pixel", 2.5))
    yield Case("resize_cubic_2.5", _resize("cubic", "half_pixel", 2.5))
    yield Case("resize_nearest_1.5", _resize("nearest", "half_pixel", 1.5))
    yield Case("resize_asymmetric_1.5", _resize("nearest", "asymmetric", 1.5, "round_prefer_ceil"))


def _windows() -> Iterator[Case]:
    transposed = node("ConvTranspose", ["x", "w"], strides=[2, 2], output_shape=[14, 14])
    yield Case("convtranspose_output_shape", network([transposed], [1, 16, 7, 7], {"w": weight(16, 8, 3, 3)}, 11))
    pool = node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2], strides=[2, 2])
    yield Case("maxpool_indices", network([pool], [1, 3, 8, 8]))
    nodes = [node("Relu", ["x"], ["r"]), node("Dropout", ["r"], ["y", "mask"])]
    yield Case("dropout_mask", network(nodes, [1, 3, 8, 8], outputs={"y": FLOAT, "mask": BOOL}))
    statistics = {"g": weight(8) + 1, "b": weight(8), "m": weight(8), "v": abs(weight(8)) + np.float32(0.5)}
    training = node("BatchNormalization", ["x", "g", "b", "m", "v"], ["y", "rm", "rv"], training_mode=1)
    yield Case(
        "batchnorm_training", network([training], [1, 8, 6, 6], statistics, 15), "BatchNormalization.*'y'.*train"
    )


def _bounds() -> Iterator[Case]:
    def clip(low: Any, high: Any) -> onnx.ModelProto:
        return network([node("Clip", ["x", "lo", "hi"])], [1, 8, 6, 6], {"lo": low, "hi": high})

    mean = node("ReduceMean", ["x"], ["m"], keepdims=0)
    yield Case("clip_min_over_max", clip(np.float32(3), np.float32(1)))
    yield Case("clip_bounds_of_rank_1", clip(np.zeros(1, np.float32), np.full(1, 6, np.float32)))
    yield Case("clip_computed_bound", network([mean, node("Clip", ["x", "", "m"])], [1, 8, 6, 6]))
    yield Case("scalar_at_run_time", network([mean, node("Sub", ["x", "m"])], [1, 8, 6, 6]))
    logarithm = [node("Relu", ["x"], ["r"]), node("Log", ["r"])]
    yield Case("nan_and_inf", network(logarithm, [1, 3, 8, 8]))


def _slices() -> Iterator[Case]:
    old = node("Slice", ["x"], axes=[2, 3], starts=[1, -3], ends=[2**63 - 1, -1])
    yield Case("slice9", network([old], [1, 3, 9, 9], {}, 9, ir=4))
    split = node("Split", ["x", "z"], ["y", "q"], axis=1)
    yield Case("empty_split", network([split], [1, 4, 8, 8], {"z": ints(4, 0)}))


def _outputs() -> Iterator[Case]:
    convolution, channels = node("Conv", ["x", "w"], ["c"]), {"w": weight(5, 3, 3, 3)}
    argmax = [convolution, node("ArgMax", ["c"], ["i"], axis=1)]
    both = [*argmax, node("Identity", ["c"])]
    yield Case("argmax_output", network(argmax, [1, 3, 16, 16], channels, outputs={"i": INT64}))
    yield Case("float_and_argmax", network(both, [1, 3, 16, 16], channels, outputs={"y": FLOAT, "i": INT64}))
    plain = [node("Conv", ["x", "w"])]
    yield Case("output_without_shape", network(plain, [1, 3, 12, 12], {"w": weight(16, 3, 3, 3)}, infer=False))
    nonzero = network([node("NonZero", ["x"])], [1, 3, 8, 8], outputs={"y": INT64})
    yield Case("nonzero_output", nonzero, "NonZero.*'y'")
    yield Case("no_outputs", network([node("Relu", ["x"])], [1, 3, 8, 8], outputs={}), "output")


def _inputs() -> Iterator[Case]:
    reshapes = [node("Reshape", ["x", "s"], ["a"]), node("Relu", ["a"], ["b"]), node("Reshape", ["b", "t"])]
    equal = {"s": ints(1, -1), "t": ints(1, -1)}
    yield Case("ir3_shared_constants", network(reshapes, [1, 3, 8, 8], equal, 9, ir=3, listed=True))
    unused = {"w": weight(16, 3, 3, 3), "unused": weight(3, 3)}
    plain = [node("Conv", ["x", "w"])]
    yield Case("ir3_unused_initialiser", network(plain, [1, 3, 8, 8], unused, 9, ir=3, listed=True))
    dynamic = network(plain, [1, 3, 8, 8], {"w": weight(16, 3, 3, 3)})
    dynamic.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    yield Case("dimension_minus_1", dynamic, r"dynamic input 'x'.*--shape x:1x3x8x8")
    dotted = network([node("Conv", ["input.1", "w"])], [1, 3, 8, 8], {"w": weight(16, 3, 3, 3)}, infer=False)
    dotted.graph.input[0].name = "input.1"
    yield Case("input_named_input.1", onnx.shape_inference.infer_shapes(dotted))


def _quantised() -> Iterator[Case]:
    """A convolution between QuantizeLinear and DequantizeLinear, per tensor."""
    constants = {
        "w8": RANDOM.integers(-127, 127, (16, 3, 3, 3)).astype(np.int8),
        "ws": np.float32(0.02),
        "wz": np.int8(0),
        "xs": np.float32(0.03),
        "xz": np.uint8(128),
        "ys": np.float32(0.1),
        "yz": np.uint8(0),
    }
    nodes = [
        node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
        node("DequantizeLinear", ["w8", "ws", "wz"], ["wd"]),
        node("Conv", ["xd", "wd"], ["c"], pads=[1] * 4),
        node("Relu", ["c"], ["r"]),
        node("QuantizeLinear", ["r", "ys", "yz"], ["rq"]),
        node("DequantizeLinear", ["rq", "ys", "yz"]),
    ]
    yield Case("quantised_convolution", network(nodes, [1, 3, 16, 16], constants))


def cases() -> list[Case]:
    """All of them."""
    kinds = (_resizing, _windows, _bounds, _slices, _outputs, _inputs, _quantised)
    return [case for kind in kinds for case in kind()]
