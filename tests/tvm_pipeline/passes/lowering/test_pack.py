"""Packed weights hold every weight once, at the place where the kernel's definition reads it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from layers import layers

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.passes.lowering.pack import pack_bias, pack_weight
from tvm_pipeline.workloads import workload_of
from tvm_pipeline.workloads.dense import dense_block
from tvm_pipeline.workloads.strassen import PRODUCTS

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
            plain[o, i] = block[: layer.kernel[0], : layer.kernel[1], o % lanes]
        elif layer.kind == "pointwise":
            plain[o, i] = block[i // in_lanes, i % in_lanes, o % lanes]
        elif is_blockable(inputs):
            plain[o, i] = block[i // in_lanes, :, :, i % in_lanes, o % lanes]
        else:
            plain[o, i] = block[i, : layer.kernel[0], : layer.kernel[1], o % lanes]
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
    assert np.count_nonzero(packed) == weight.size  # what only fills a block or meets the border is zero


@given(layers(WEIGHTED))
def test_packed_bias_unpacks_to_the_original(layer: Layer) -> None:
    bias = _numbered(layer.out_channels)
    packed = pack_bias(layer, bias)
    np.testing.assert_array_equal(packed.reshape(-1)[: layer.out_channels], bias)
    assert np.count_nonzero(packed) == bias.size


@given(layers(("strassen",)))
def test_strassen_weights_multiply_as_the_plain_ones(layer: Layer) -> None:
    """The products of quarters, joined, are the whole product: exactly, since all are small integers."""
    random = np.random.default_rng(layer.in_channels)
    weight = random.integers(-3, 4, (layer.out_channels, layer.in_channels, 1, 1)).astype(np.float32)
    inputs, lanes = padded_channels(layer.in_channels), channel_block(layer.out_channels)
    pixels = random.integers(-3, 4, (4, inputs)).astype(np.float32)
    packed = pack_weight(layer, weight)
    assert packed.shape == tuple(int(extent) for extent in workload_of(layer).arguments[1].shape)
    b = packed.transpose(1, 2, 3, 0, 4).reshape(PRODUCTS, inputs // 2, -1)
    a11, a12, a21, a22 = (part for row in np.vsplit(pixels, 2) for part in np.hsplit(row, 2))
    s1 = a21 + a22
    s2 = s1 - a11
    p1, p2, p3, p4, p5, p6, p7 = (
        a @ one for a, one in zip((a11, a12, a12 - s2, a22, s1, s2, a11 - a21), b, strict=True)
    )
    u2 = p1 + p6
    joined = np.block([[p1 + p2, u2 + p5 + p3], [u2 + p7 - p4, u2 + p7 + p5]])
    padded = np.zeros((padded_channels(layer.out_channels), inputs), np.float32)
    padded[: layer.out_channels, : layer.in_channels] = weight[:, :, 0, 0]
    assert joined.shape[1] % lanes == 0
    np.testing.assert_array_equal(joined, pixels @ padded.T)
