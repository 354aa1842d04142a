"""What bfloat16 costs a network: its outputs where every product's operands are rounded, computed in float32.

A right package of bfloat16 is as far from the float model as rounding takes it, which is 0.5 % of the range for trained
weights and 5 % for random ones: no one bar serves both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto, NodeProto

    from mobilenet_tvm.package.reference import Pair

LEAST_TOLERANCE = 1e-2
NOTEWORTHY = 0.1
"""Random weights stay below it."""
ALLOWANCE = 1.5
"""Sums in another order round other values the other way: how many times as far off a right package may be."""
_PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_SPLITTER = "bfloat16/splitter"


def tolerance_of(onnx: Path, pairs: Sequence[Pair]) -> float:
    """The largest error of a right package, as a share of an output's range."""
    return max(LEAST_TOLERANCE, ALLOWANCE * _rounding_error(onnx, pairs))


def _rounding_error(onnx: Path, pairs: Sequence[Pair]) -> float:
    import numpy as np
    import onnxruntime as ort
    from onnx import load

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(onnx.parent))
    model = load(onnx, load_external_data=False)
    round_operands(model)
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in session.get_inputs()]
    errors = [0.0]
    for pair in pairs:
        outputs = session.run(None, dict(zip(names, pair.inputs, strict=True)))
        errors += [_share(np.asarray(own), exact) for own, exact in zip(outputs, pair.outputs, strict=True)]
    return max(errors)


def _share(rounded: np.ndarray, exact: np.ndarray) -> float:
    """The largest difference as a share of the range; 0 where there is none to speak of."""
    import numpy as np

    finite = np.isfinite(exact) & np.isfinite(rounded) if exact.dtype.kind == "f" else np.zeros(exact.shape, bool)
    if not finite.any() or not np.ptp(exact[finite]):
        return 0.0
    return float(np.abs(rounded[finite] - exact[finite]).max() / np.ptp(exact[finite]))


def round_operands(model: ModelProto) -> None:
    """Changes a model in place: what goes into each product is rounded to bfloat16 and back."""
    rounded: dict[str, str] = {}
    nodes = [_splitter()]
    for node in model.graph.node:
        if node.op_type in _PRODUCTS:
            for position in range(2):
                name = node.input[position]
                if name not in rounded:
                    nodes += _rounding(name)
                    rounded[name] = nodes[-1].output[0]
                node.input[position] = rounded[name]
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _splitter() -> NodeProto:
    import numpy as np
    from onnx import helper, numpy_helper

    value = numpy_helper.from_array(np.array(2**16 + 1, np.float32), _SPLITTER)
    return helper.make_node("Constant", [], [_SPLITTER], value=value)


def _rounding(name: str) -> list[NodeProto]:
    """The upper 8 of 24 digits, by float32's own rounding (T. J. Dekker, Numerische Mathematik 18, 1971, section 4), as
    files of any opset can: Cast has bfloat16 from opset 13 on."""
    from onnx import helper

    scaled, rest, rounded = (f"{name}/bfloat16/{part}" for part in ("scaled", "rest", "rounded"))
    return [
        helper.make_node("Mul", [name, _SPLITTER], [scaled]),
        helper.make_node("Sub", [scaled, name], [rest]),
        helper.make_node("Sub", [scaled, rest], [rounded]),
    ]
