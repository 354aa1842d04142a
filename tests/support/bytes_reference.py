"""What a layer of bytes computes, in NumPy and in whole numbers up to the one product with its scale."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from kernel_reference import Tensors, arguments, expected, from_blocks

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.workloads import workload_of
from tvm_pipeline.workloads.int8.layers import DOT_PRODUCTS


@dataclass(frozen=True)
class ByteTensors:
    """A layer's operands in ONNX's layouts; ``bias`` without the input's zero point."""

    data: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    zero_in: int
    zero: int
    low: int
    high: int

    @staticmethod
    def random(layer: Layer, zero_in: int = 117, zero: int = 13, low: int = 0, high: int = 255) -> ByteTensors:
        random = np.random.default_rng(0)
        inputs = 1 if layer.kind == "depthwise" else layer.in_channels
        weight = random.integers(-127, 128, (layer.out_channels, inputs, *layer.kernel))
        typical = 74 * 74 * np.sqrt(weight[0].size)
        return ByteTensors(
            random.integers(0, 256, (layer.batch, layer.in_channels, layer.height, layer.width)),
            weight,
            random.integers(-20000, 20000, layer.out_channels),
            (np.exp(random.normal(0, 2, layer.out_channels)) * 60 / typical).astype(np.float32),
            zero_in,
            zero,
            low,
            high,
        )

    def sums(self, layer: Layer) -> np.ndarray:
        """``[N, C, OH, OW]``, exact: float64 holds them."""
        plain = Tensors(
            (self.data - self.zero_in).astype(np.float64), self.weight.astype(np.float64), *[np.zeros(1)] * 2
        )
        whole = expected(replace(layer, epilogue=(), dtype="float32"), plain)
        return np.rint(whole).astype(np.int64) + self.bias.reshape(1, -1, 1, 1)

    def result(self, layer: Layer) -> np.ndarray:
        """``[N, C, OH, OW]``, uint8, or float32 without ``requantise``."""
        scaled = self.sums(layer).astype(np.float32) * self.scale.reshape(1, -1, 1, 1)
        if layer.epilogue[-1] == "dequantise":
            return np.asarray(scaled)
        whole = np.rint(scaled) + np.float32(self.zero)
        return np.clip(whole, self.low, self.high).astype(np.uint8)

    def arguments(self, layer: Layer, unit: Unit) -> list[np.ndarray]:
        """The kernel's, in its layouts and order."""
        plain = Tensors(self.data.astype(np.float32), self.weight.astype(np.float32), *[np.zeros(1)] * 2)
        packed = arguments(replace(layer, epilogue=()), plain, unit)
        bias = self.bias
        if unit.kernel_kind(layer) in DOT_PRODUCTS:
            bias = bias - (self.zero_in - unit.taken_off_bytes) * self.weight.sum(axis=(1, 2, 3))
        constants = (bias, self.scale, np.array([self.zero_in, self.zero, self.low, self.high]))
        blocks = [_in_blocks(values) if values is not constants[-1] else values for values in constants]
        dtypes = workload_of(layer, unit).dtypes[:-1]
        return [values.astype(dtype) for values, dtype in zip([*packed, *blocks], dtypes, strict=True)]


def _in_blocks(values: np.ndarray) -> np.ndarray:
    lanes = channel_block(values.size)
    return np.pad(values, (0, padded_channels(values.size) - values.size)).reshape(-1, lanes)


def plain_result(stored: np.ndarray, layer: Layer) -> np.ndarray:
    """``[N, C, OH, OW]`` of what a kernel wrote."""
    return from_blocks(stored, layer)
