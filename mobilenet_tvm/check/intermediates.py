"""ONNX files that also output what lies between: every operator's result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.model.onnx_inputs import DTYPES

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto


def _is_array(value: ValueInfoProto) -> bool:
    from onnx import helper

    kind = value.type.tensor_type.elem_type
    return bool(kind) and str(helper.tensor_dtype_to_np_dtype(kind)) in DTYPES


class Intermediates:
    """The values of an ONNX file in the order in which they are computed.

    :ivar makers: the node that makes each value.
    """

    def __init__(self, onnx: Path) -> None:
        from onnx import load, shape_inference

        self._model: ModelProto = load(onnx)
        inferred = shape_inference.infer_shapes(self._model).graph
        known = {value.name: value for value in (*inferred.value_info, *self._model.graph.output)}
        nodes = [node for node in self._model.graph.node if node.op_type != "Constant"]
        self.makers: dict[str, NodeProto] = {
            name: node for node in nodes for name in node.output if name in known and _is_array(known[name])
        }
        self._known = known

    def save(self, path: Path, values: list[str]) -> Path:
        """The file with those values as its only outputs."""
        from onnx import ModelProto, save

        model = ModelProto()
        model.CopyFrom(self._model)
        del model.graph.output[:]
        model.graph.output.extend(self._known[name] for name in values)
        save(model, path)
        return path
