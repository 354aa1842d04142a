"""Which input channels the results of a grouped convolution read, as they lie in blocks. Free of TVM."""

from math import prod
from typing import Any

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count, channel_block


def group_sizes(layer: Layer) -> tuple[int, int]:
    """Input and output channels of a group."""
    return layer.in_channels // layer.groups, layer.out_channels // layer.groups


def first_group(layer: Layer, block: Any) -> Any:
    """The group of the first channel in a block of results; ``block`` is a number or an expression, as is the result.

    Spelled as simply as the sizes allow: so TVM sees what several blocks have in common.
    """
    lanes, outputs = channel_block(layer.out_channels), group_sizes(layer)[1]
    if outputs % lanes == 0:
        return block // (outputs // lanes)
    return block * (lanes // outputs) if lanes % outputs == 0 else block * lanes // outputs


def first_block(layer: Layer, block: Any) -> Any:
    """The first block of input channels that a block of results reads, were there blocks without end."""
    lanes, inputs = channel_block(layer.in_channels), group_sizes(layer)[0]
    group = first_group(layer, block)
    return group * (inputs // lanes) if inputs % lanes == 0 else group * inputs // lanes


def blocks_read(layer: Layer) -> int:
    """How many blocks of input channels a block of results reads, the weights of other groups' being zero."""
    inputs, outputs = group_sizes(layer)
    in_lanes, lanes = channel_block(layer.in_channels), channel_block(layer.out_channels)
    ends = [(min((block + 1) * lanes, layer.out_channels) - 1) // outputs for block in range(_blocks(layer))]
    return max(-(-(end + 1) * inputs // in_lanes) - int(first_block(layer, block)) for block, end in enumerate(ends))


def last_first_block(layer: Layer) -> int:
    """Where the last blocks that are there begin."""
    return block_count(layer.in_channels) - blocks_read(layer)


def is_beyond(layer: Layer) -> bool:
    """Whether the last results would read blocks that are not there, and so begin earlier."""
    return int(first_block(layer, _blocks(layer) - 1)) > last_first_block(layer)


def is_narrow(layer: Layer) -> bool:
    """Whether it pays to spread a layer's input: each value is copied to the lanes whose results need it, so that a sum
    over a group is one over vectors, none of whose lanes is multiplied by zero."""
    inputs, outputs = group_sizes(layer)
    lanes, taps = channel_block(layer.out_channels), prod(layer.kernel)
    if outputs >= lanes:
        return False
    copies = lanes // outputs if lanes % outputs == 0 else lanes
    spread = inputs * (copies * min(prod(layer.stride), taps) + taps)
    return spread < blocks_read(layer) * channel_block(layer.in_channels) * taps


def _blocks(layer: Layer) -> int:
    return block_count(layer.out_channels)
