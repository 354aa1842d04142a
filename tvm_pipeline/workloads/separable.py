"""A depthwise convolution with the pointwise one behind it, as one kernel: what lies between never leaves the cache."""

from tvm import te

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.workloads.conv2d import finish
from tvm_pipeline.workloads.depthwise import depthwise_product
from tvm_pipeline.workloads.epilogue import apply_epilogue, wide
from tvm_pipeline.workloads.workload import ANCHOR, BETWEEN, DTYPE, INNER_ANCHOR, Workload


def separable(layer: Layer, dtype: str = DTYPE, *, padded: bool = False) -> Workload:
    """``[N, K/b, H*W, b]`` x ``[K/b, kh, kw, b]`` x ``[C/b, K/b, b, b]`` -> ``[N, C/b, OH*OW, b]``.

    Arguments: data, weight of the depthwise half, its bias, weight of the pointwise half, its bias, residual.

    :param padded: a stage pads the input, and the window's row and column of zeros are not read.
    """
    data, window_weight, window_product = depthwise_product(
        layer.depthwise_part, dtype, weight_name="window_weight", anchor=INNER_ANCHOR, padded=padded
    )
    inner_extra, value = apply_epilogue(layer.inner_epilogue, window_product, lambda n, c, y, x, lane: (c, lane), dtype)
    between = te.compute(value.shape, lambda *index: value(*index), name="between", attrs={BETWEEN: 1})
    (in_blocks, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    weight = te.placeholder((blocks, in_blocks, in_lanes, lanes), dtype, name="weight")
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, in_lanes), name="ki")
    product = te.compute(
        (layer.batch, blocks, layer.out_height, layer.out_width, lanes),
        lambda n, c, y, x, lane: te.sum(wide(between[n, ko, y, x, ki]) * wide(weight[c, ko, ki, lane]), axis=[ko, ki]),
        name="product",
        attrs={ANCHOR: str(layer)},
    )
    outer = finish(layer, data, weight, product, dtype)
    return Workload((data, window_weight, *inner_extra, *outer.arguments[1:]), outer.output)
