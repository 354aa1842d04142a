"""What rounding alone moves the outputs of a network in eight bits by.

Sums in another order differ in float32's last bits, so a value that lies between two steps becomes the other one. Layer
by layer that grows, to one or two per cent of the outputs' range in MobileNetV2. A right package is that far off, and
no bar serves all networks: the file's own scales, moved by as much as float32 rounds, tell how far.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.package.manifest import TOLERANCE

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

    from mobilenet_tvm.package.reference import Pair

ALLOWANCE = 3.0
"""Other values fall the other way: how many times as far off a right package may be."""
_LARGEST = 0.1
_MOVED = 1e-6
"""What a sum of a thousand products in float32 may be off by, as a share."""
_DRAWS = 2


def tolerance_of(onnx: Path, pairs: Sequence[Pair]) -> float:
    """The largest error of a right package, as a share of an output's range."""
    from onnx import load

    errors = [_share(pairs, _outputs(_moved(load(onnx), seed), pairs)) for seed in range(_DRAWS)]
    return min(max(TOLERANCE, ALLOWANCE * max(errors)), _LARGEST)


def _moved(model: ModelProto, seed: int) -> ModelProto:
    """The model with all scales of weights moved a little, each channel's by another share."""
    import numpy as np
    from onnx import numpy_helper

    random = np.random.default_rng(seed)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    places = {"DequantizeLinear": (0, 1), "QLinearConv": (3, 4), "QLinearMatMul": (3, 4)}
    for node in model.graph.node:
        weight, scale = (node.input[place] for place in places.get(node.op_type, (0, 0))) if node.input else ("", "")
        if weight == scale or weight not in stored or scale not in stored:
            continue
        value = numpy_helper.to_array(stored[scale])
        moved = value * (1 + _MOVED * random.uniform(-1, 1, value.shape))
        stored[scale].CopyFrom(numpy_helper.from_array(np.asarray(moved, value.dtype), scale))
    return model


def _outputs(model: ModelProto, pairs: Sequence[Pair]) -> list[list[np.ndarray]]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in session.get_inputs()]
    return [session.run(None, dict(zip(names, pair.inputs, strict=True))) for pair in pairs]


def _share(pairs: Sequence[Pair], outputs: Sequence[Sequence[np.ndarray]]) -> float:
    """The largest difference of an output as a share of its range over all pairs."""
    import numpy as np

    worst = 0.0
    for own, right in zip(zip(*outputs, strict=True), zip(*(pair.outputs for pair in pairs), strict=True), strict=True):
        if right[0].dtype.kind == "f" and (extent := float(np.ptp(np.stack(right)))):
            worst = max(worst, float(np.abs(np.stack(own) - np.stack(right)).max()) / extent)
    return worst
