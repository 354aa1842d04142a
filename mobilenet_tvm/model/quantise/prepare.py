"""A float file made ready to be quantised: shapes fixed, batch normalisation in its convolution, constants folded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.quantise.fold import fold_constants, fold_normalisations, fold_padding
from mobilenet_tvm.model.quantise.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto

_OPSET = 13
"""The first that has scales per channel."""


def prepared(path: Path, tensor: OnnxInput) -> ModelProto:
    """The network as quantisers want it.

    :param tensor: its input.
    :raises UserError: nothing in it can be quantised, or it is too old for that.
    """
    import onnx

    model = onnx.load(path)
    _fix_shape(model, tensor)
    model = _recent(path, model)
    fold_constants(model)
    fold_normalisations(model)
    fold_padding(model)
    if not Graph(model).weighted():
        raise UserError(f"{path} cannot be quantised: it has neither a convolution nor a dense layer with weights")
    return model


def _fix_shape(model: ModelProto, tensor: OnnxInput) -> None:
    for value in model.graph.input:
        if value.name == tensor.name:
            dims = value.type.tensor_type.shape.dim
            del dims[:]
            for extent in tensor.shape:
                dims.add().dim_value = extent


def _recent(path: Path, model: ModelProto) -> ModelProto:
    """The model in an opset that has scales per channel."""
    from onnx import version_converter

    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    if opset >= _OPSET:
        return model
    try:
        return version_converter.convert_version(model, _OPSET)
    except Exception as error:  # whatever its C++ raises
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} cannot be quantised: its opset {opset} does not become {_OPSET}: {reason}") from error
