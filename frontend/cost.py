"""What a network costs, counted from its own modules while an image runs through them.

The image is a real one: PyTorch's meta device would do, but its first use imports 3 s worth of Python.

The paper's convention (arXiv 1704.04861, section 3): Mult-Adds are the multiplications of convolutions and dense layers
(nothing for biases, activations, pooling and additions); parameters are those layers' weights and biases, without batch
normalisation, which folds away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import prod

import torch
from torch import nn

from frontend.layers import Add, Multiply
from frontend.zoo import ZooEntry
from mobilenet_tvm.base.answers import KindShare, NetworkLayer, SeparableBlock

# Kinds with Mult-Adds, in the order of the paper's Table 2.
COSTLY_KINDS = ("pointwise", "depthwise", "conv2d", "dense")


@dataclass(frozen=True)
class Cost:
    """A network's layer table and what follows from it."""

    layers: tuple[NetworkLayer, ...]

    @property
    def parameters(self) -> int:
        """Weights and biases of convolutions and dense layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def mult_adds(self) -> int:
        """Multiplications for one image."""
        return sum(layer.mult_adds for layer in self.layers)

    @property
    def shares(self) -> tuple[KindShare, ...]:
        """By kind of layer, for the kinds that the network has."""
        mult_adds, parameters = Counter[str](), Counter[str]()
        for layer in self.layers:
            mult_adds[layer.kind] += layer.mult_adds
            parameters[layer.kind] += layer.parameters
        return tuple(
            KindShare(
                kind=kind,
                mult_adds_share=mult_adds[kind] / self.mult_adds,
                parameters_share=parameters[kind] / self.parameters,
            )
            for kind in COSTLY_KINDS
            if kind in mult_adds
        )

    @property
    def separable_blocks(self) -> tuple[SeparableBlock, ...]:
        """Every depthwise layer with the pointwise layer that mixes its channels (not a squeeze-and-excitation's)."""
        pairs = (
            (depthwise, next((layer for layer in self.layers[index:] if _mixes(layer, depthwise)), None))
            for index, depthwise in enumerate(self.layers)
            if depthwise.kind == "depthwise"
        )
        return tuple(_separable(depthwise, pointwise) for depthwise, pointwise in pairs if pointwise is not None)


def _mixes(layer: NetworkLayer, depthwise: NetworkLayer) -> bool:
    return layer.kind == "pointwise" and layer.input == depthwise.output


def _separable(depthwise: NetworkLayer, pointwise: NetworkLayer) -> SeparableBlock:
    assert depthwise.kernel is not None
    channels, outputs, positions = depthwise.output[0], pointwise.output[0], prod(depthwise.output[1:])
    full = prod(depthwise.kernel) * channels * outputs * positions
    cost = depthwise.mult_adds + pointwise.mult_adds
    formula = f"1/{outputs} + 1/{depthwise.kernel[0]}^2"
    return SeparableBlock(
        name=_common(depthwise.name, pointwise.name),
        mult_adds=cost,
        full_convolution_mult_adds=full,
        ratio=cost / full,
        formula=formula,
    )


def _common(first: str, second: str) -> str:
    """The part of two dotted names that they share."""
    pairs = zip(first.split("."), second.split("."), strict=False)
    shared: list[str] = []
    for left, right in pairs:
        if left != right:
            break
        shared.append(left)
    return ".".join(shared) or first


@cache
def cost_of(entry: ZooEntry) -> Cost:
    """The cost of a zoo entry at its resolution and 1000 classes."""
    return cost_of_module(entry.module(), (3, entry.resolution, entry.resolution))


def cost_of_module(module: nn.Module, shape: tuple[int, ...]) -> Cost:
    """Count a module's layers on an input of ``shape`` (without the batch). A layer that runs twice counts twice."""
    layers: list[NetworkLayer] = []
    with _watched(module, layers), torch.inference_mode():
        module.eval()(torch.zeros(1, *shape))
    return Cost(tuple(layers))


@contextmanager
def _watched(module: nn.Module, layers: list[NetworkLayer]) -> Iterator[None]:
    """Append a line to ``layers`` for every layer that runs."""
    handles = []
    for name, layer in module.named_modules():

        def record(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: object, name: str = name) -> None:
            if not isinstance(output, torch.Tensor):
                return  # a detector's, as a whole
            line = _line(name, layer, tuple(inputs[-1].shape[1:]), tuple(output.shape[1:]))
            if line is not None:
                layers.append(line)

        handles.append(layer.register_forward_hook(record))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _line(name: str, layer: nn.Module, inputs: tuple[int, ...], output: tuple[int, ...]) -> NetworkLayer | None:
    if isinstance(layer, nn.Conv2d):
        return _convolution(name, layer, inputs, output)
    parameters = sum(parameter.numel() for parameter in layer.parameters(recurse=False))
    if isinstance(layer, nn.Linear):
        mult_adds = layer.in_features * prod(output)
        return NetworkLayer(
            name=name, kind="dense", input=inputs, output=output, parameters=parameters, mult_adds=mult_adds
        )
    kinds = {nn.AdaptiveAvgPool2d: "pool", Add: "add", Multiply: "mul"}
    kind = next((kind for cls, kind in kinds.items() if isinstance(layer, cls)), None)
    if kind is None:
        return None
    kernel = (inputs[1], inputs[2]) if kind == "pool" else None  # a global pool's window is the whole map
    return NetworkLayer(name=name, kind=kind, input=inputs, output=output, kernel=kernel)


def _convolution(name: str, layer: nn.Conv2d, inputs: tuple[int, ...], output: tuple[int, ...]) -> NetworkLayer:
    kernel = (layer.kernel_size[0], layer.kernel_size[1])
    if layer.groups == layer.in_channels == layer.out_channels and layer.groups > 1:
        kind = "depthwise"
    else:
        kind = "pointwise" if kernel == (1, 1) and layer.groups == 1 else "conv2d"
    assert not isinstance(layer.padding, str)
    return NetworkLayer(
        name=name,
        kind=kind,
        input=inputs,
        output=output,
        kernel=kernel,
        stride=layer.stride[0],
        padding=layer.padding[0],
        groups=layer.groups,
        parameters=sum(parameter.numel() for parameter in layer.parameters()),
        mult_adds=prod(output) * layer.in_channels // layer.groups * prod(kernel),
    )
