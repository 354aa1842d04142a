"""The value that a workload definition returns."""

from dataclasses import dataclass

from tvm import te

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import is_blockable

DTYPE = "float32"
"""Of activations and weights, unless a GPU's unit says otherwise; sums and biases always have it."""

ANCHOR = "layer.anchor"
"""Block annotation on the computation that a schedule is built around; its value is the layer's descriptor."""

INNER_ANCHOR = "layer.inner_anchor"
"""Block annotation on the first of two computations that one kernel makes, the depthwise half of a separable layer."""

BETWEEN = "layer.between"
"""Block annotation on the stage that stores what lies between the two."""

PADDING = "layer.padding"
"""Block annotation on the stage that pads the input."""

CROPPED = "layer.cropped"
"""Block annotation on the stage that drops columns which only make tiles whole."""

PREPARED = "layer.prepared"
"""Block annotation on the stage that brings inputs into the form in which an instruction takes them."""

NAMED = "mobilenet_tvm.named"
"""On a function of a kind without knobs: what stands for its generator, ``name/version``."""


def weight_dtype(layer: Layer, dtype: str) -> str:
    """Of a layer's weights where activations are ``dtype``: few weights stay float32, so that they add no rounding."""
    is_first = layer.kind == "conv2d" and not is_blockable(layer.in_channels)
    return DTYPE if is_first or layer.kind == "depthwise" else dtype


@dataclass(frozen=True)
class Workload:
    """A layer's computation: ``arguments`` in the kernel's order (data, weight, bias, residual), then ``output``."""

    arguments: tuple[te.Tensor, ...]
    output: te.Tensor

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the kernel's arguments, the output last."""
        return tuple(tuple(int(extent) for extent in tensor.shape) for tensor in (*self.arguments, self.output))

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Of the kernel's arguments, the output last."""
        return tuple(str(tensor.dtype) for tensor in (*self.arguments, self.output))
