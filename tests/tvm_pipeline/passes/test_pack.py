"""Packed weights hold every weight once, at the place where the kernel's definition reads it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from layers import layers

from tvm_pipeline.channel_block import channel_block, is_blockable
from tvm_pipeline.layer import Layer
from tvm_pipeline.passes.pack import pack_bias, pack_weight
from tvm_pipeline.workloads import workload_of
from tvm_pipeline.workloads.dense import dense_block

WEIGHTED = ("conv2d", "pointwise", "depthwise", "dense")


def unpack(layer: Layer, packed: np.ndarray) -> np.ndarray:
    """Reads ``packed`` element by element as the workloads document it: OIHW, ``[C, K]`` for dense."""
    outputs, inputs = layer.out_channels, layer.in_channels
    if layer.kind == "dense":
        lanes = dense_block(outputs)
        return np.array([[packed[c // lanes, k, c % lanes] for k in range(inputs)] for c in range(outputs)])
    lanes, in_lanes = channel_block(outputs), channel_block(inputs)
    plain = np.empty((outputs, 1 if layer.kind == "depthwise" else inputs, *layer.kernel), np.float32)
    for o, i in np.ndindex(plain.shape[:2]):
        block = packed[o // lanes]
        if layer.kind == "depthwise":
            plain[o, i] = block[:, :, o % lanes]
        elif layer.kind == "pointwise":
            plain[o, i] = block[i // in_lanes, i % in_lanes, o % lanes]
        elif is_blockable(inputs):
            plain[o, i] = block[i // in_lanes, :, :, i % in_lanes, o % lanes]
        else:
            plain[o, i] = block[i, :, :, o % lanes]
    return plain


def _numbered(*shape: int) -> np.ndarray:
    return np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)


@given(layers(WEIGHTED))
def test_packed_weight_unpacks_to_the_original(layer: Layer) -> None:
    if layer.kind == "dense":
        weight = _numbered(layer.out_channels, layer.in_channels)
    else:
        weight = _numbered(layer.out_channels, 1 if layer.kind == "depthwise" else layer.in_channels, *layer.kernel)
    packed = pack_weight(layer, weight)
    assert packed.shape == tuple(int(extent) for extent in workload_of(layer).arguments[1].shape)
    np.testing.assert_array_equal(unpack(layer, packed), weight)
    assert np.count_nonzero(packed) == weight.size  # what only fills a block is zero


@given(layers(WEIGHTED))
def test_packed_bias_unpacks_to_the_original(layer: Layer) -> None:
    bias = _numbered(layer.out_channels)
    packed = pack_bias(layer, bias)
    np.testing.assert_array_equal(packed.reshape(-1)[: layer.out_channels], bias)
    assert np.count_nonzero(packed) == bias.size
