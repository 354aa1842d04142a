"""Pointwise convolutions in pairs of bfloat16, as AVX512-BF16 multiplies them, added up in float32."""

import numpy as np
from tvm import te, tirx, topi

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.hardware.stored import BITS
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles
from tvm_pipeline.workloads.epilogue import apply_epilogue, narrow, wide
from tvm_pipeline.workloads.workload import ANCHOR, Workload

PAIR = 2


def from_bfloat16(bits: te.Tensor) -> te.Tensor:
    """The float32 values of bits of bfloat16."""
    return te.compute(bits.shape, lambda *index: wide(bits(*index)), name="widened", tag=topi.tag.ELEMWISE)


def to_bfloat16(values: te.Tensor) -> te.Tensor:
    """The bits of the bfloat16 that are nearest to float32 values."""
    return te.compute(values.shape, lambda *index: narrow(values(*index), BITS), name="rounded", tag=topi.tag.ELEMWISE)


def in_pairs(packed: np.ndarray) -> np.ndarray:
    """``[C/b, K/b, b, c]`` -> ``[C/b, K/b, b/2, c, 2]``: two input channels side by side for each result."""
    blocks, in_blocks, in_lanes, lanes = packed.shape
    pairs = packed.reshape(blocks, in_blocks, in_lanes // PAIR, PAIR, lanes)
    return np.ascontiguousarray(pairs.transpose(0, 1, 2, 4, 3))


def pointwise(layer: Layer, dtype: str = BITS) -> Workload:
    """``[N, K/b, M, b]`` x ``[C/b, K/b, b/2, b, 2]`` -> ``[N, C/b, M, b]`` with M = H*W, all as bits of bfloat16."""
    spatial = layer.height * layer.width
    computed = in_whole_tiles(spatial)
    (in_blocks, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    data = te.placeholder((layer.batch, in_blocks, spatial, in_lanes), dtype, name="data")
    weight = te.placeholder((blocks, in_blocks, in_lanes // PAIR, lanes, PAIR), dtype, name="weight")
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, in_lanes), name="ki")

    def multiply(n, c, m, lane):  # type: ignore[no-untyped-def]
        pixel = m if computed == spatial else tirx.min(m, spatial - 1)
        pair = weight[c, ko, ki // PAIR, lane, ki % PAIR]
        return te.sum(wide(data[n, ko, pixel, ki]) * wide(pair), axis=[ko, ki])

    shape = (layer.batch, blocks, computed, lanes)
    product = te.compute(shape, multiply, name="product", attrs={ANCHOR: str(layer)})
    if computed != spatial:
        made = product
        product = te.compute((layer.batch, blocks, spatial, lanes), lambda *index: made(*index), name="cropped")
    extra, output = apply_epilogue(layer.epilogue, product, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)
