"""Upsample and Resize-10 as Resize; GridSample's and RoiAlign's modes."""

import numpy as np
from onnx import NodeProto, helper

from tvm_pipeline.importer.normalise.editor import Editor, attribute, set_attribute

_MODES = {"bilinear": "linear", "bicubic": "cubic"}


def to_resize(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """Both place pixels at ``x / scale``. Nearest takes the one below, and where the tensor shrinks the one above (the
    specification of Resize-10 says no more than "nearest"; ONNX Runtime's upsamplebase.h does so)."""
    given = attribute(node, "mode")
    mode = _mode(given.s.decode() if given is not None else "nearest")
    scales = editor.value(node.input[1])
    if mode != "nearest" or scales is None or not (scales < 1).any():
        return [_resize(node.input[0], node.input[1], node.output[0], node.name, mode, "floor")]
    smaller = editor.fresh(f"{node.output[0]}_smaller")
    shrunk = editor.constant(np.minimum(scales, np.float32(1)))
    grown = editor.constant(np.maximum(scales, np.float32(1)))
    return [
        _resize(node.input[0], shrunk, smaller, node.name, mode, "ceil"),
        _resize(smaller, grown, node.output[0], "", mode, "floor"),
    ]


def _resize(data: str, scales: str, result: str, name: str, mode: str, nearest: str) -> NodeProto:
    return helper.make_node(
        "Resize",
        [data, "", scales],
        [result],
        name,
        mode=mode,
        coordinate_transformation_mode="asymmetric",
        nearest_mode=nearest,
    )


def _mode(mode: str) -> str:
    return _MODES.get(mode, mode)


def grid_mode(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """GridSample-16, whose modes are called bilinear and bicubic."""
    mode = attribute(node, "mode")
    set_attribute(node, "mode", _mode(mode.s.decode() if mode is not None else "bilinear"))
    return [node]


def roi_coordinates(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """RoiAlign-10, which moves no region by half a pixel."""
    if attribute(node, "coordinate_transformation_mode") is None:
        set_attribute(node, "coordinate_transformation_mode", "output_half_pixel")
    return [node]
