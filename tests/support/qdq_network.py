"""Small quantised networks, node by node: ONNX's QDQ form."""

from __future__ import annotations

import numpy as np
from onnx_network import Network


class QdqNetwork(Network):
    """``bytes`` names what ``quantised`` made; scales are of the order of what flows through."""

    def quantised(self, value: str, scale: float, zero: int = 0) -> str:
        """``value`` rounded to bytes and back."""
        parts = self.constant(scale), self.constant(zero, np.uint8)
        return self.node("DequantizeLinear", self.node("QuantizeLinear", value, *parts), *parts)

    def weights(self, *shape: int, per_channel: bool = True, zero: int = 0) -> str:
        values = self.random.integers(-127, 128, shape)
        scale = np.exp(self.random.normal(0, 0.5, shape[0])) / 127 / np.sqrt(np.prod(shape[1:]) / 3)
        scale = scale if per_channel else np.asarray(scale.mean())
        zeros = self.constant(np.full(scale.shape, zero), np.int8)
        attributes = {"axis": 0} if per_channel else {}
        operands = (self.constant(values, np.int8), self.constant(scale), zeros)
        return self.node("DequantizeLinear", *operands, **attributes)

    def qdq_conv(
        self, data: str, channels: int, out: int, kernel: int = 1, group: int = 1, **attributes: object
    ) -> str:
        """A convolution of quantised weights with a bias, padded to keep the size."""
        weight = self.weights(out, channels // group, kernel, kernel)
        bias = self.constant(self.random.standard_normal(out))
        return self.node("Conv", data, weight, bias, group=group, pads=[kernel // 2] * 4, **attributes)
