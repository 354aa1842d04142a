"""The blocked activation layout ``NCHWc``: ``[N, C/b, H*W, b]``, float32, H and W flattened. Free of TVM.

Flattened, a tile of a pointwise layer runs over image rows, and a kernel's output tile stays a rectangle. Where ``b``
does not divide C, the last block is filled with values that nothing depends on: every weight that meets them is zero.
"""

from mobilenet_tvm.base.layer import Layer

PREFERRED_BLOCK = 16
"""One AVX-512 vector of float32, two of AVX2, four of NEON."""

SMALLEST_BLOCK = 8

MOST_FILLING = 1 / 8
"""Of the channels: half-empty AVX-512 vectors cost more than so much needless work, also where vectors are shorter."""


def channel_block(channels: int) -> int:
    """How many channels lie side by side in memory: 16, or 8 where 16 would be filled up with more, and too many."""
    filling, least = -channels % PREFERRED_BLOCK, -channels % SMALLEST_BLOCK
    return PREFERRED_BLOCK if filling <= max(channels * MOST_FILLING, least) else SMALLEST_BLOCK


def is_blockable(channels: int) -> bool:
    """Whether a tensor with that many channels is kept blocked between kernels; with fewer, as an image has, it stays
    NCHW."""
    return channels > SMALLEST_BLOCK // 2


def block_count(channels: int) -> int:
    """How many blocks, the last of which may be filled up."""
    return -(-channels // channel_block(channels))


def blocks_and_lanes(channels: int) -> tuple[int, int]:
    """How many blocks of how many channels."""
    return block_count(channels), channel_block(channels)


def padded_channels(channels: int) -> int:
    """The channels with what fills the last block."""
    return block_count(channels) * channel_block(channels)


def has_even_blocks(layer: Layer) -> bool:
    """Whether the layer's channels, in and out, make two halves of whole blocks, as Strassen's algorithm wants."""
    sizes = (layer.in_channels, layer.out_channels)
    return all(is_blockable(size) and block_count(size) % 2 == 0 for size in sizes)
