"""Pointwise convolutions by seven half-sized matrix products instead of eight: Strassen's algorithm, one level deep.

Winograd's form of it (S. Winograd, "On multiplication of 2 x 2 matrices", 1971; D. Knuth, The Art of Computer
Programming, vol. 2, section 4.6.4), with the sums over weights made when the model is compiled. ``A`` are the pixels
(rows: pixels, columns: input channels), ``B`` the weights, and each is cut into quarters.
"""

import numpy as np
from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.workloads.epilogue import Expression, apply_epilogue
from tvm_pipeline.workloads.workload import ANCHOR, DTYPE, Workload

PRODUCTS = 7


def half_of_pixels(layer: Layer) -> int:
    """Rows of the upper half of ``A``; the lower half has as many, or one fewer."""
    return -(-layer.height * layer.width // 2)


def strassen(layer: Layer, dtype: str = DTYPE) -> Workload:
    """``[N, K/b, M, b]`` x ``[C/2b, 7, K/2b, b, b]`` -> ``[N, C/b, M, b]`` with M = H*W.

    Needs a layer that ``has_even_blocks``, and float32.
    """
    spatial, half = layer.height * layer.width, half_of_pixels(layer)
    (in_blocks, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    data = te.placeholder((layer.batch, in_blocks, spatial, in_lanes), dtype, name="data")
    weight = te.placeholder((blocks // 2, PRODUCTS, in_blocks // 2, in_lanes, lanes), dtype, name="weight")

    def quarter(lower: int, right: int, n: Expression, ko: Expression, m: Expression, ki: Expression) -> Expression:
        pixel = m + lower * half
        value = data[n, ko + right * (in_blocks // 2), pixel, ki]
        is_whole = not lower or spatial % 2 == 0
        return value if is_whole else tirx.if_then_else(pixel < spatial, value, tirx.const(0.0, dtype))

    def combine(n: Expression, p: Expression, ko: Expression, m: Expression, ki: Expression) -> Expression:
        a11, a12, a21, a22 = (quarter(lower, right, n, ko, m, ki) for lower in (0, 1) for right in (0, 1))
        s2 = a21 + a22 - a11
        return _one_of(p, (a11, a12, a12 - s2, a22, a21 + a22, s2, a11 - a21))

    combined = te.compute((layer.batch, PRODUCTS, in_blocks // 2, half, in_lanes), combine, name="combined")
    ko, ki = te.reduce_axis((0, in_blocks // 2), name="ko"), te.reduce_axis((0, in_lanes), name="ki")
    product = te.compute(
        (layer.batch, blocks // 2, half, PRODUCTS, lanes),
        lambda n, c, m, p, lane: te.sum(combined[n, p, ko, m, ki] * weight[c, p, ko, ki, lane], axis=[ko, ki]),
        name="product",
        attrs={ANCHOR: str(layer)},
    )

    def join(n: Expression, c: Expression, m: Expression, right: Expression, lower: Expression, lane: Expression):  # type: ignore[no-untyped-def]
        p1, p2, p3, p4, p5, p6, p7 = (product[n, c, m, index, lane] for index in range(PRODUCTS))
        u2 = p1 + p6
        u3 = u2 + p7
        upper_half = tirx.if_then_else(right == 0, p1 + p2, u2 + p5 + p3)
        return tirx.if_then_else(lower == 0, upper_half, tirx.if_then_else(right == 0, u3 - p4, u3 + p5))

    joined = te.compute((layer.batch, blocks // 2, half, 2, 2, lanes), join, name="joined")
    flat = te.compute(
        (layer.batch, blocks, spatial, lanes),
        lambda n, c, m, lane: joined[n, c % (blocks // 2), m % half, c // (blocks // 2), m // half, lane],
        name="flat",
    )
    extra, output = apply_epilogue(layer.epilogue, flat, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)


def _one_of(index: Expression, values: tuple[Expression, ...]) -> Expression:
    *others, chosen = values
    for position in reversed(range(len(others))):
        chosen = tirx.if_then_else(index == position, others[position], chosen)
    return chosen


def combine_weights(weight: np.ndarray) -> np.ndarray:
    """``[C, K]`` with even C and K -> ``[7, C/2, K/2]``: what each product multiplies, as ``B`` transposed."""
    right, below = weight.shape[0] // 2, weight.shape[1] // 2
    b11, b12 = weight[:right, :below], weight[right:, :below]
    b21, b22 = weight[:right, below:], weight[right:, below:]
    t2 = b22 - (b12 - b11)
    return np.stack([b11, b21, b22, t2 - b21, b12 - b11, t2, b22 - b12])
