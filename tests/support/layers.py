"""Hypothesis strategies for layers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import is_blockable

BLOCKABLE = (5, 8, 16, 24, 40, 58, 72)
IN_TWO_HALVES = (32, 64, 120)
ANY_CHANNELS = (1, 3, *BLOCKABLE, 20, 61)
ACTIVATIONS = ("relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid", "silu", "tanh", "gelu", "softplus", "mish")
GROUPS = ((2, 4, 4), (3, 8, 12), (4, 16, 16), (5, 24, 24), (8, 2, 2), (9, 3, 1), (24, 1, 2), (3, 10, 5))
"""How many, and of how many channels in and out each."""
_SIDES = st.integers(0, 2)


@st.composite
def epilogues(draw: st.DrawFn) -> tuple[str, ...]:
    """Bias, activation, residual and activation, each or not: what the epilogue pass makes."""
    activation = st.sampled_from(ACTIVATIONS)
    names = [*draw(st.just(["bias"]) | st.just([])), *draw(st.lists(activation, max_size=1))]
    if draw(st.booleans()):
        names += ["add", *draw(st.lists(activation, max_size=1))]
    return tuple(names)


@st.composite
def layers(draw: st.DrawFn, kinds: tuple[str, ...], largest: int = 13) -> Layer:
    """Layers as the lowering pass makes them, small enough to compute quickly."""
    kind, batch = draw(st.sampled_from(kinds)), draw(st.sampled_from((1, 1, 2)))
    if kind == "dense":
        sizes = st.integers(1, 50)
        return Layer(kind, batch, 1, 1, draw(sizes), draw(sizes), epilogue=draw(epilogues()))
    pair = st.tuples(st.integers(1, 2), st.integers(1, 2))
    extent = st.integers(1, largest)
    height, width = draw(extent), draw(extent)
    channels = draw(st.sampled_from(ANY_CHANNELS if kind == "conv2d" else BLOCKABLE))
    if kind == "global_average_pool":
        return Layer(kind, batch, height, width, channels, channels, kernel=(height, width))
    if kind == "grouped_conv2d":
        return _with_groups(draw(layers(("conv2d",), largest)), draw(st.sampled_from(GROUPS)))
    if kind == "strassen":
        channels, out = draw(st.sampled_from(IN_TWO_HALVES)), draw(st.sampled_from(IN_TWO_HALVES))
        return Layer(kind, batch, height, width, channels, out, epilogue=draw(epilogues()))
    if kind == "pointwise":
        out = draw(st.sampled_from(ANY_CHANNELS))
        return Layer(kind, batch, height, width, channels, out, epilogue=draw(_epilogue_for(out)))
    kernel = draw(st.sampled_from(((1, 1), (2, 2), (3, 3), (5, 5), (3, 1), (1, 5))))
    padding = draw(st.tuples(*[st.integers(0, min(2, size - 1)) for size in kernel * 2]))
    dilation = draw(pair)
    wide = {"conv2d": ANY_CHANNELS, "separable": BLOCKABLE}.get(kind)
    out = draw(st.sampled_from(wide)) if wide is not None else channels
    epilogue = () if "pool" in kind else draw(_epilogue_for(out))
    window = [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    height = max(height, window[0] - padding[0] - padding[2])
    width = max(width, window[1] - padding[1] - padding[3])
    inner = draw(epilogues().filter(lambda names: "add" not in names)) if kind == "separable" else ()
    return Layer(kind, batch, height, width, channels, out, kernel, draw(pair), padding, dilation, epilogue, inner)


def _with_groups(layer: Layer, sizes: tuple[int, int, int]) -> Layer:
    groups, inputs, outputs = sizes
    epilogue = tuple(name for name in layer.epilogue if name != "add" or is_blockable(groups * outputs))
    channels = {"in_channels": groups * inputs, "out_channels": groups * outputs}
    return replace(layer, kind="grouped_conv2d", groups=groups, epilogue=epilogue, **channels)


def _epilogue_for(channels: int) -> st.SearchStrategy[tuple[str, ...]]:
    """A residual is only taken by kernels whose result stays blocked."""
    return epilogues().filter(lambda names: "add" not in names or channels in BLOCKABLE)
