"""Biases that a quantiser clipped to an int32: its scales were too small for them, and the layer's results are off.

ONNX Runtime's quantiser did so where a channel has tiny weights (its issue 11415).
"""

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from tvm_pipeline.importer.normalise.editor import constants_of

_ENDS = (-(2**31), -(2**31) + 1, 2**31 - 1)


def warn_of_clipped_biases(model: ModelProto, warn: Callable[[str], None]) -> None:
    """Name the layers in one line; ``model`` is a quantised network in QDQ form, or any other."""
    constants = constants_of(model.graph)
    clipped: dict[str, int] = {}
    for node in model.graph.node:
        tensor = constants.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
        if tensor is not None and tensor.data_type == TensorProto.INT32:
            channels = int(np.isin(numpy_helper.to_array(tensor), _ENDS).sum())
            clipped |= {node.output[0]: channels} if channels else {}
    layers = [(node, clipped[name]) for node in model.graph.node for name in node.input if name in clipped]
    if layers:
        named = ", ".join(f"{node.name or node.output[0]!r} ({channels} channels)" for node, channels in layers[:3])
        more = f" and {len(layers) - 3} more" if len(layers) > 3 else ""
        warn(
            f"the bias of {named}{more} was clipped to 32 bits when the model was quantised, and its results are off: "
            "quantise again, with larger scales for those channels' weights"
        )
