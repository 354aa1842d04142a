"""What a layer computes, in NumPy and after the operators' definitions: no blocks, no schedules."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import tvm

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.hardware.stored import BITS, as_floats, as_stored
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.lowering.pack import pack_bias, pack_weight
from tvm_pipeline.schedules import Decisions
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.workloads import workload_of

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "exp": np.exp,
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    "softplus": lambda x: np.logaddexp(0, x),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
}


@dataclass(frozen=True)
class Tensors:
    """A layer's operands in ONNX's layouts (NCHW, OIHW; dense: ``[N, K]``, ``[C, K]``)."""

    data: np.ndarray
    weight: np.ndarray | None
    bias: np.ndarray
    residual: np.ndarray
    first: Tensors | None = None
    """Of a separable layer's depthwise half."""

    @staticmethod
    def random(layer: Layer, seed: int = 0) -> Tensors:
        random = np.random.default_rng(seed)

        def normal(*shape: int) -> np.ndarray:
            return random.standard_normal(shape, np.float32)

        if layer.kind == "separable":
            first = Tensors.random(layer.depthwise_part, seed)
            return replace(Tensors.random(layer.pointwise_part, seed + 1), data=first.data, first=first)
        bias = normal(layer.out_channels)
        weight: np.ndarray | None = None
        if layer.kind == "dense":
            weight = normal(layer.out_channels, layer.in_channels) / np.float32(np.sqrt(layer.in_channels))
            residual = normal(layer.batch, layer.out_channels)
            return Tensors(normal(layer.batch, layer.in_channels), weight, bias, residual)
        data = normal(layer.batch, layer.in_channels, layer.height, layer.width)
        residual = normal(layer.batch, layer.out_channels, layer.out_height, layer.out_width)
        if "pool" not in layer.kind:
            inputs = 1 if layer.kind == "depthwise" else layer.in_channels // layer.groups
            weight = normal(layer.out_channels, inputs, *layer.kernel)
            weight /= np.float32(np.sqrt(np.prod(weight.shape[1:])))
        return Tensors(data, weight, bias, residual)

    def rounded(self) -> Tensors:
        """The same as far as bfloat16 can hold them; a bias stays as it is."""

        def cut(values: np.ndarray) -> np.ndarray:
            return as_floats(as_stored(values, BITS))

        weight = None if self.weight is None else cut(self.weight)
        return replace(self, data=cut(self.data), weight=weight, residual=cut(self.residual))


def expected(layer: Layer, tensors: Tensors) -> np.ndarray:
    """The result in float64, NCHW (dense: ``[N, C]``), epilogue and all."""
    result = _anchor(layer, tensors)
    wide = (1, -1) if result.ndim == 2 else (1, -1, 1, 1)
    for name in layer.epilogue:
        if name == "bias":
            result = result + tensors.bias.reshape(wide)
        elif name == "add":
            result = result + tensors.residual
        else:
            result = ACTIVATIONS[name](result)
    return result


def _anchor(layer: Layer, tensors: Tensors) -> np.ndarray:
    if layer.kind == "separable":
        assert tensors.first is not None
        between = expected(layer.depthwise_part, tensors.first)
        return _anchor(layer.pointwise_part, replace(tensors, data=between))
    data = tensors.data.astype(np.float64)
    if layer.kind == "dense":
        assert tensors.weight is not None
        return np.asarray(data @ tensors.weight.T.astype(np.float64))
    if layer.kind == "global_average_pool":
        return np.asarray(data.mean(axis=(2, 3), keepdims=True))
    windows = list(_windows(layer, data, float(np.finfo(np.float32).min) if layer.kind == "max_pool" else 0.0))
    if layer.kind == "max_pool":
        return np.asarray(np.max([window for _, _, window in windows], axis=0))
    if layer.kind == "average_pool":
        return np.asarray(np.mean([window for _, _, window in windows], axis=0))
    weight = tensors.weight
    assert weight is not None
    groups = layer.in_channels if layer.kind == "depthwise" else layer.groups
    taps = weight.reshape(groups, -1, *weight.shape[1:])
    equation = "ngkhw,gck->ngchw"
    sums = [
        np.einsum(equation, window.reshape(layer.batch, groups, -1, *window.shape[2:]), taps[..., y, x])
        for y, x, window in windows
    ]
    return np.asarray(np.sum(sums, axis=0)).reshape(layer.batch, -1, layer.out_height, layer.out_width)


def _windows(layer: Layer, data: np.ndarray, border: float):  # type: ignore[no-untyped-def]
    """For each place in the window the inputs that lie under it, one per output pixel."""
    top, left, bottom, right = layer.padding
    padded = np.pad(data, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=border)
    for y in range(layer.kernel[0]):
        for x in range(layer.kernel[1]):
            from_y, from_x = y * layer.dilation[0], x * layer.dilation[1]
            rows = slice(from_y, from_y + (layer.out_height - 1) * layer.stride[0] + 1, layer.stride[0])
            columns = slice(from_x, from_x + (layer.out_width - 1) * layer.stride[1] + 1, layer.stride[1])
            yield y, x, padded[:, :, rows, columns]


def to_blocks(value: np.ndarray) -> np.ndarray:
    """``[N, C, H, W]`` -> ``[N, C/b, H*W, b]``, the last block filled with zeros."""
    batch, channels, height, width = value.shape
    whole = np.zeros((batch, padded_channels(channels), height * width), np.float32)
    whole[:, :channels] = value.reshape(batch, channels, -1)
    lanes = channel_block(channels)
    return np.ascontiguousarray(whole.reshape(batch, -1, lanes, height * width).transpose(0, 1, 3, 2))


def from_blocks(value: np.ndarray, layer: Layer) -> np.ndarray:
    """``[N, C/b, H*W, b]`` -> ``[N, C, H, W]`` without what only fills the last block."""
    batch, blocks, _, lanes = value.shape
    plain = value.transpose(0, 1, 3, 2).reshape(batch, blocks * lanes, layer.out_height, layer.out_width)
    return plain[:, : layer.out_channels]


def arguments(layer: Layer, tensors: Tensors, unit: Unit | None = None) -> list[np.ndarray]:
    """The kernel's inputs in a unit's layouts and order, float32."""
    if layer.kind == "separable":
        assert tensors.first is not None
        behind = arguments(layer.pointwise_part, tensors)[1:]
        return [*arguments(layer.depthwise_part, tensors.first), *behind]
    is_dense = layer.kind == "dense"
    plain = is_dense or (layer.kind == "conv2d" and not is_blockable(layer.in_channels))
    found = [tensors.data if plain else to_blocks(tensors.data)]
    if tensors.weight is not None:
        found.append(pack_weight(layer, tensors.weight, unit))
    if "bias" in layer.epilogue:
        found.append(pack_bias(layer, tensors.bias))
    if "add" in layer.epilogue:
        found.append(tensors.residual if is_dense else to_blocks(tensors.residual))
    return found


def run_kernel(
    layer: Layer, target: tvm.target.Target, unit: Unit, decisions: Decisions, tensors: Tensors
) -> np.ndarray:
    """Schedules, builds and calls the layer's kernel; the result as ``expected`` gives it."""
    space, workload = Space.of(layer, unit), workload_of(layer, unit)
    choice = space.choice(decisions)
    assert choice is not None, f"{dict(decisions)} is not in the space of {layer}"
    inputs = [
        tvm.runtime.tensor(as_stored(values, dtype))
        for values, dtype in zip(arguments(layer, tensors, unit), workload.dtypes[:-1], strict=True)
    ]
    built = tvm.compile(space.schedule(choice).mod, target=target, tir_pipeline=CODEGEN_PIPELINE)
    output = tvm.runtime.tensor(as_stored(np.full(workload.shapes[-1], np.nan, np.float32), workload.dtypes[-1]))
    built["main"](*inputs, output)
    result = as_floats(output.numpy())
    return result if layer.kind == "dense" else from_blocks(result, layer)


def deviation(
    layer: Layer, target: tvm.target.Target, unit: Unit, decisions: Decisions, tensors: Tensors | None = None
) -> float:
    """The largest error of the scheduled kernel, as a share of the reference's largest value."""
    tensors = tensors or Tensors.random(layer)
    reference = expected(layer, tensors)
    found = run_kernel(layer, target, unit, decisions, tensors)
    assert found.shape == reference.shape
    error = np.abs(found - reference).max() / max(1.0, np.abs(reference).max())
    return float("inf") if np.isnan(error) else float(error)
