"""Transposed convolutions become ordinary ones, one for each window of their phases, and a copy that interleaves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tvm import relax

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes, padded_channels
from tvm_pipeline.passes.dataflow import constant_of, four, pair, shape_of
from tvm_pipeline.passes.epilogue import Affine, Epilogue, match_epilogue
from tvm_pipeline.passes.lowering.context import Lowering, constants
from tvm_pipeline.passes.lowering.convolutions import input_of, kind_of, preferred
from tvm_pipeline.passes.phases import Phase, alike, filters_of, phases_along
from tvm_pipeline.workloads.interleave import Part, interleave


@dataclass(frozen=True)
class _Phases:
    rows: Sequence[Phase]
    columns: Sequence[Phase]


def lower_conv2d_transpose(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    data, weight, attributes = call.args[0], constant_of(call.args[1]), call.attrs
    if weight is None or weight.dtype != np.float32 or attributes.data_layout != "NCHW":
        return False
    groups, shape, size = int(attributes.groups), shape_of(data), shape_of(var)
    filters = _filters_first(weight, groups)
    epilogue = match_epilogue(lowering.flow, var, filters, lambda _: False)
    phases = _Phases(
        *(
            phases_along(
                shape[2 + axis],
                size[2 + axis],
                weight.shape[2 + axis],
                pair(attributes.strides)[axis],
                pair(attributes.dilation)[axis],
                four(attributes.padding)[axis],
            )
            for axis in range(2)
        )
    )
    parts, values = [], []
    for together in alike(phases.rows, phases.columns, join=groups == 1):
        layer, affine = _convolution(shape, epilogue, groups, phases, together)
        layer = preferred(lowering, layer, affine.weight)
        operands = [input_of(lowering, layer, data), *constants(layer, affine, lowering.unit)]
        value = lowering.emit_kernel(layer, operands)
        parts.append(Part(shape_of(value), layer.out_width, tuple(together)))
        values.append(value)
    lowering.book_blocked(epilogue, _interleaved(lowering, parts, values, size, pair(attributes.strides)))
    return True


def _filters_first(weight: np.ndarray, groups: int) -> np.ndarray:
    """``[K, C/G, kh, kw]`` -> ``[C, K/G, kh, kw]``."""
    inputs, outputs = weight.shape[:2]
    grouped = weight.reshape(groups, inputs // groups, outputs, *weight.shape[2:])
    return np.ascontiguousarray(grouped.swapaxes(1, 2).reshape(groups * outputs, inputs // groups, *weight.shape[2:]))


def _convolution(
    shape: tuple[int, ...], epilogue: Epilogue, groups: int, phases: _Phases, together: Sequence[tuple[int, int]]
) -> tuple[Layer, Affine]:
    """The convolution that makes phases whose windows are the same, and its constants: channels of the first phase
    first, each phase's filled up to whole blocks where there are more."""
    channels = epilogue.affine.weight.shape[0]
    filling = padded_channels(channels) - channels if len(together) > 1 else 0
    whole = np.pad(epilogue.affine.weight, [(0, filling), *[(0, 0)] * 3])
    filters = [filters_of(whole, phases.rows[row], phases.columns[column]) for row, column in together]
    bias = epilogue.affine.bias
    added = None if bias is None else np.tile(np.pad(bias, (0, filling)), len(together))
    weight = np.concatenate(filters)
    rows, columns = phases.rows[together[0][0]], phases.columns[together[0][1]]
    padding = (rows.before, columns.before, rows.after, columns.after)
    kernel, dilation = (len(rows.taps), len(columns.taps)), (rows.dilation, columns.dilation)
    kind = kind_of(weight.shape, shape[1], groups, is_plain=not any(padding))
    batch, inputs, height, width = shape
    layer = Layer(kind, batch, height, width, inputs, weight.shape[0], kernel, epilogue=epilogue.names)
    if kind != "pointwise":
        layer = replace(layer, padding=padding, dilation=dilation)
    if kind == "grouped_conv2d":
        layer = replace(layer, groups=groups)
    return layer, Affine(weight, added)


def _interleaved(
    lowering: Lowering, parts: list[Part], values: list[relax.Expr], shape: tuple[int, ...], stride: tuple[int, int]
) -> relax.Expr:
    """``[N, C/b, OH*OW, b]``."""
    if stride == (1, 1):
        return values[0]
    batch, channels, height, width = shape
    workload = interleave(parts, channels, (height, width), stride, lowering.stored)
    value = lowering.emit_workload(workload, f"interleave_{height}x{width}x{channels}", values)
    blocks, lanes = blocks_and_lanes(channels)
    return lowering.builder.emit(relax.op.reshape(value, (batch, blocks, height * width, lanes)))
