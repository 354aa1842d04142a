"""Brings the weights of a convolution with groups into the order in which its kernel reads them."""

import numpy as np

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes, channel_block, padded_channels
from tvm_pipeline.hardware.channel_groups import (
    blocks_read,
    first_block,
    group_sizes,
    is_narrow,
    last_first_block,
)


def pack_groups(layer: Layer, weight: np.ndarray) -> np.ndarray:
    """``[C, K/G, kh, kw]`` -> ``[C/b, R, kh, kw, b, b]``, of narrow groups ``[C/b, kh, kw, K/G, b]``."""
    return _by_lanes(layer, weight) if is_narrow(layer) else _by_blocks(layer, weight)


def _by_lanes(layer: Layer, weight: np.ndarray) -> np.ndarray:
    blocks, lanes = blocks_and_lanes(layer.out_channels)
    whole = np.pad(weight, [(0, padded_channels(layer.out_channels) - layer.out_channels), (0, 0), (0, 0), (0, 0)])
    return np.ascontiguousarray(whole.reshape(blocks, lanes, *weight.shape[1:]).transpose(0, 3, 4, 2, 1))


def _by_blocks(layer: Layer, weight: np.ndarray) -> np.ndarray:
    (blocks, lanes), in_lanes = blocks_and_lanes(layer.out_channels), channel_block(layer.in_channels)
    inputs, outputs = group_sizes(layer)
    packed = np.zeros((blocks, blocks_read(layer) * in_lanes, *layer.kernel, lanes), weight.dtype)
    for channel, filters in enumerate(weight):
        block, lane = divmod(channel, lanes)
        begin = channel // outputs * inputs - min(first_block(layer, block), last_first_block(layer)) * in_lanes
        packed[block, begin : begin + inputs, :, :, lane] = filters
    split = packed.reshape(blocks, blocks_read(layer), in_lanes, *layer.kernel, lanes)
    return np.ascontiguousarray(split.transpose(0, 1, 3, 4, 2, 5))
