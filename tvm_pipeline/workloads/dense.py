"""Fully connected layers."""

from tvm import te

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.workloads.epilogue import apply_epilogue, wide
from tvm_pipeline.workloads.workload import ANCHOR, DTYPE, Workload


def dense_block(out_channels: int) -> int:
    """Outputs that are computed side by side: the largest power of two up to 16 that divides them."""
    return next(lanes for lanes in (16, 8, 4, 2, 1) if not out_channels % lanes)


def dense(layer: Layer, dtype: str = DTYPE) -> Workload:
    """``[N, K]`` x ``[C/b, K, b]`` -> ``[N, C]``, which is float32."""
    lanes = dense_block(layer.out_channels)
    data = te.placeholder((layer.batch, layer.in_channels), dtype, name="data")
    weight = te.placeholder((layer.out_channels // lanes, layer.in_channels, lanes), dtype, name="weight")
    k = te.reduce_axis((0, layer.in_channels), name="k")
    product = te.compute(
        (layer.batch, layer.out_channels),
        lambda n, c: te.sum(wide(data[n, k]) * wide(weight[c // lanes, k, c % lanes]), axis=[k]),
        name="product",
        attrs={ANCHOR: str(layer)},
    )
    extra, output = apply_epilogue(layer.epilogue, product, lambda n, c: (c,))
    return Workload((data, weight, *extra), output)
