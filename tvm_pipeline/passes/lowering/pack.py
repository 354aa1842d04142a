"""Brings constant weights into the order in which a kernel reads them."""

from collections.abc import Callable, Mapping

import numpy as np

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.hardware.stored import as_stored
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.lowering.pack_groups import pack_groups
from tvm_pipeline.workloads.bfloat16 import in_pairs, window_in_pairs
from tvm_pipeline.workloads.dense import dense_block
from tvm_pipeline.workloads.int8.layers import in_fours
from tvm_pipeline.workloads.int8.windows import in_pixels_of_fours, in_rows_of_fours
from tvm_pipeline.workloads.padding import window_shape
from tvm_pipeline.workloads.strassen import PRODUCTS, combine_weights
from tvm_pipeline.workloads.workload import weight_dtype

_GROUPED: Mapping[str, Callable[[Layer, np.ndarray], np.ndarray]] = {
    "bfloat16_pointwise": lambda _, packed: in_pairs(packed),
    "bfloat16_conv2d": window_in_pairs,
    "int8_pointwise": lambda _, packed: in_fours(packed),
    "int8_pointwise_of_signed": lambda _, packed: in_fours(packed),
    "int8_pointwise_of_shorts": lambda _, packed: in_pairs(packed),
    "int8_narrow_pointwise": lambda _, packed: in_fours(packed),
    "int8_dot_depthwise": in_rows_of_fours,
    "int8_dot_conv2d": in_pixels_of_fours,
}
"""What brings weights into the order of dot products, by the kind of kernel."""


def _pad_first_axis(array: np.ndarray, size: int) -> np.ndarray:
    return np.pad(array, [(0, size - array.shape[0]), *[(0, 0)] * (array.ndim - 1)])


def _border_window(layer: Layer, weight: np.ndarray) -> np.ndarray:
    """OIHW with the row and the column of zeros that the border's pixels are multiplied by."""
    ends = [(0, size - taps) for size, taps in zip(window_shape(layer), layer.kernel, strict=True)]
    return np.pad(weight, [(0, 0), (0, 0), *ends])


def pack_weight(layer: Layer, weight: np.ndarray, unit: Unit | None = None) -> np.ndarray:
    """``weight`` as the layer's workload wants it; from OIHW, for dense from ``[C, K]``. Missing channels are zero.

    :param unit: None for any that multiplies one by one.
    """
    packed = _pack(layer, weight)
    grouped = None if unit is None else _GROUPED.get(unit.kernel_kind(layer))
    return packed if grouped is None else grouped(layer, packed)


def stored_weight(layer: Layer, weight: np.ndarray, unit: Unit) -> np.ndarray:
    """The same in the dtype that the unit's kernel reads: dot products take weights as narrow as what they meet."""
    is_grouped = unit.kernel_kind(layer) in _GROUPED
    return as_stored(pack_weight(layer, weight, unit), unit.stored if is_grouped else weight_dtype(layer, unit.stored))


def _pack(layer: Layer, weight: np.ndarray) -> np.ndarray:
    if layer.kind == "dense":
        lanes = dense_block(layer.out_channels)
        return np.ascontiguousarray(weight.reshape(layer.out_channels // lanes, lanes, -1).transpose(0, 2, 1))
    channels = padded_channels(layer.out_channels)
    lanes = channel_block(layer.out_channels)
    padded = _pad_first_axis(weight, channels)
    if layer.kind == "depthwise":
        bordered = _border_window(layer, padded)
        return np.ascontiguousarray(
            bordered.reshape(channels // lanes, lanes, *bordered.shape[2:]).transpose(0, 2, 3, 1)
        )
    if layer.kind == "grouped_conv2d":
        return pack_groups(layer, weight)
    if not is_blockable(layer.in_channels):
        bordered = _border_window(layer, padded)
        split = bordered.reshape(channels // lanes, lanes, layer.in_channels, *bordered.shape[2:])
        return np.ascontiguousarray(split.transpose(0, 2, 3, 4, 1))
    in_lanes = channel_block(layer.in_channels)
    inputs = padded_channels(layer.in_channels)
    whole = np.pad(padded, [(0, 0), (0, inputs - layer.in_channels), (0, 0), (0, 0)])
    if layer.kind == "strassen":
        products = combine_weights(whole[:, :, 0, 0])
        parts = products.reshape(PRODUCTS, channels // lanes // 2, lanes, inputs // in_lanes // 2, in_lanes)
        return np.ascontiguousarray(parts.transpose(1, 0, 3, 4, 2))
    split = whole.reshape(channels // lanes, lanes, inputs // in_lanes, in_lanes, *layer.kernel)
    packed = np.ascontiguousarray(split.transpose(0, 2, 4, 5, 3, 1))
    return packed.reshape(channels // lanes, -1, in_lanes, lanes) if layer.kind == "pointwise" else packed


def pack_bias(layer: Layer, bias: np.ndarray) -> np.ndarray:
    """``[C]`` for dense, ``[C/b, b]`` else."""
    if layer.kind == "dense":
        return np.ascontiguousarray(bias)
    lanes = channel_block(layer.out_channels)
    return np.ascontiguousarray(_pad_first_axis(bias, padded_channels(layer.out_channels)).reshape(-1, lanes))


def pack_columns(weight: np.ndarray, lanes: int) -> np.ndarray:
    """``[C, K]`` -> ``[C/b, K, b]`` with so many ``lanes`` to a block, the last one filled with zeros."""
    padded = _pad_first_axis(weight, -(-weight.shape[0] // lanes) * lanes)
    return np.ascontiguousarray(padded.reshape(-1, lanes, weight.shape[1]).transpose(0, 2, 1))
