"""The blocked activation layout ``NCHWc``: ``[N, C/b, H*W, b]``, float32, H and W flattened. Free of TVM.

Flattened, a tile of a pointwise layer runs over image rows, and a kernel's output tile stays a rectangle.
"""

PREFERRED_BLOCK = 16
"""One AVX-512 vector of float32, two of AVX2, four of NEON."""

SMALLEST_BLOCK = 8


def channel_block(channels: int) -> int:
    """How many channels lie side by side in memory: 16, or 8 where 16 does not divide."""
    return PREFERRED_BLOCK if channels % PREFERRED_BLOCK == 0 else SMALLEST_BLOCK


def is_blockable(channels: int) -> bool:
    """Whether a tensor with that many channels is kept blocked between kernels (others stay NCHW)."""
    return channels % SMALLEST_BLOCK == 0


def padded_channels(channels: int) -> int:
    """The channels with what a kernel adds to fill its last block."""
    return -(-channels // SMALLEST_BLOCK) * SMALLEST_BLOCK
