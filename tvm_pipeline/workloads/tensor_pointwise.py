"""Pointwise convolutions in whole fragments of 16x16 float16 values, as tensor cores multiply them."""

from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import padded_channels
from tvm_pipeline.hardware.gpu import FRAGMENT
from tvm_pipeline.workloads.epilogue import apply_epilogue, wide
from tvm_pipeline.workloads.workload import ANCHOR, PADDING, Workload


def fragment_pixels(layer: Layer) -> int:
    """The pixels with what fills the last fragment, or the last two: an even number leaves a choice of tiles."""
    pixels = layer.height * layer.width
    unit = FRAGMENT if pixels <= FRAGMENT else 2 * FRAGMENT
    return -(-pixels // unit) * unit


def tensor_pointwise(layer: Layer, dtype: str = "float16") -> Workload:
    """``[N, K/16, M, 16]`` x ``[C/16, K/16, 16, 16]`` -> ``[N, C/16, M, 16]``, sums in float32.

    Pixels that only fill the last fragment repeat the image's last one, and are not stored.
    """
    pixels, filled = layer.height * layer.width, fragment_pixels(layer)
    in_blocks, blocks = (padded_channels(channels) // FRAGMENT for channels in (layer.in_channels, layer.out_channels))
    data = te.placeholder((layer.batch, in_blocks, pixels, FRAGMENT), dtype, name="data")
    weight = te.placeholder((blocks, in_blocks, FRAGMENT, FRAGMENT), dtype, name="weight")
    whole = te.compute(
        (layer.batch, in_blocks, filled, FRAGMENT),
        lambda n, k, m, lane: data[n, k, tirx.min(m, pixels - 1), lane],
        name="whole",
        attrs={PADDING: 1},
    )
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, FRAGMENT), name="ki")
    product = te.compute(
        (layer.batch, blocks, filled, FRAGMENT),
        lambda n, c, m, lane: te.sum(wide(whole[n, ko, m, ki]) * wide(weight[c, ko, ki, lane]), axis=[ko, ki]),
        name="product",
        attrs={ANCHOR: str(layer)},
    )
    shape = (layer.batch, blocks, pixels, FRAGMENT)
    cut = te.compute(shape, lambda n, c, m, lane: product[n, c, m, lane], name="cut")
    extra, output = apply_epilogue(layer.epilogue, cut, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)
