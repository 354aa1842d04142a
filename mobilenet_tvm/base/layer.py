"""A layer's descriptor: the key under which a schedule is tuned, logged and found again. Free of TVM."""

import re
from dataclasses import dataclass, replace

EPILOGUES = (
    "bias",
    "relu",
    "relu6",
    "hard_swish",
    "hard_sigmoid",
    "sigmoid",
    "silu",
    "tanh",
    "exp",
    "gelu",
    "gelu_tanh",
    "softplus",
    "mish",
    "add",
    "requantise",
    "dequantise",
)
"""Operations that a kernel applies to its result before storing it, ordered as in a descriptor."""

KINDS = (
    "conv2d",
    "grouped_conv2d",
    "pointwise",
    "strassen",
    "depthwise",
    "separable",
    "dense",
    "global_average_pool",
    "max_pool",
    "average_pool",
)

DTYPES = ("float32", "bfloat16", "float16", "int8")
"""Of a layer's activations and weights; an ``int8`` layer has uint8 activations and int8 weights."""

_SUMS_CHANNELS = ("conv2d", "grouped_conv2d", "pointwise", "strassen", "dense")
_NAMES_RESULTS = ("conv2d", "grouped_conv2d", "pointwise", "strassen", "separable")

_PATTERN = re.compile(
    r"(?:(?P<dtype>bfloat16|float16|int8) )?"
    r"(?P<kind>[a-z_0-9]+) (?:n(?P<batch>\d+) )?(?:(?P<height>\d+)x(?P<width>\d+)x)?(?P<in_channels>\d+)"
    r"(?:->(?P<out_channels>\d+))?"
    r"(?: k(?P<kh>\d+)x(?P<kw>\d+))?(?: s(?P<sh>\d+)(?:x(?P<sw>\d+))?)?(?: p(?P<padding>\d+(?:,\d+,\d+,\d+)?))?"
    r"(?: d(?P<dh>\d+)(?:x(?P<dw>\d+))?)?(?: g(?P<groups>\d+))?"
    r"(?:(?P<inner_epilogue>(?: [a-z_0-9]+)*) then)?(?P<epilogue>(?: [a-z_0-9]+)*)"
)


class LayerSyntaxError(ValueError):
    """A text that is not a layer descriptor."""


@dataclass(frozen=True)
class Layer:
    """One kernel's work: shapes, window and what is fused behind it.

    ``height`` and ``width`` are the input's; ``padding`` is (top, left, bottom, right). A ``depthwise`` layer has
    ``out_channels == in_channels``; a ``pointwise`` layer is a 1x1 convolution with stride 1; ``dense`` has 1x1 pixels.
    A ``grouped_conv2d`` layer has ``groups``, each of which sees its own share of the inputs (arXiv 1611.05431).
    A ``strassen`` layer is a pointwise one that is computed by Strassen's algorithm.
    A ``separable`` layer is a depthwise one, ``inner_epilogue``, and a pointwise one behind it (arXiv 1704.04861, 3.1).
    ``dtype`` is that of what the kernel multiplies on a CPU; one of float32 does not name it in its descriptor.
    """

    kind: str
    batch: int
    height: int
    width: int
    in_channels: int
    out_channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    epilogue: tuple[str, ...] = ()
    inner_epilogue: tuple[str, ...] = ()
    groups: int = 1
    dtype: str = "float32"

    @property
    def out_height(self) -> int:
        return self._extent(self.height, self.padding[0] + self.padding[2], 0)

    @property
    def out_width(self) -> int:
        return self._extent(self.width, self.padding[1] + self.padding[3], 1)

    def _extent(self, size: int, padding: int, axis: int) -> int:
        window = (self.kernel[axis] - 1) * self.dilation[axis] + 1
        return (size + padding - window) // self.stride[axis] + 1

    @property
    def mult_adds(self) -> int:
        """Multiply-accumulates by the layer's definition, the epilogue left out (pooling counts its additions).

        A ``strassen`` layer makes an eighth fewer.
        """
        if self.kind == "separable":
            return self.depthwise_part.mult_adds + self.pointwise_part.mult_adds
        outputs = self.batch * self.out_height * self.out_width * self.out_channels
        window = self.kernel[0] * self.kernel[1]
        return outputs * window * (self.in_channels // self.groups if self.kind in _SUMS_CHANNELS else 1)

    @property
    def anchor(self) -> "Layer":
        """The same layer with nothing fused behind it: layers that differ in the epilogue alone schedule alike."""
        return replace(self, epilogue=(), inner_epilogue=())

    @property
    def depthwise_part(self) -> "Layer":
        """The first half of a separable layer."""
        return replace(
            self,
            kind="depthwise",
            out_channels=self.in_channels,
            epilogue=self.inner_epilogue,
            inner_epilogue=(),
        )

    @property
    def pointwise_part(self) -> "Layer":
        """The second half of a separable layer."""
        return Layer(
            kind="pointwise",
            batch=self.batch,
            height=self.out_height,
            width=self.out_width,
            in_channels=self.in_channels,
            out_channels=self.out_channels,
            epilogue=self.epilogue,
            dtype=self.dtype,
        )

    def __str__(self) -> str:
        return self._shapes() if self.dtype == "float32" else f"{self.dtype} {self._shapes()}"

    def _shapes(self) -> str:
        batch = f"n{self.batch} " if self.batch != 1 else ""
        if self.kind == "dense":
            return _join(f"dense {batch}{self.in_channels}->{self.out_channels}", *self.epilogue)
        shape = f"{self.kind} {batch}{self.height}x{self.width}x{self.in_channels}"
        if self.kind in _NAMES_RESULTS:
            shape += f"->{self.out_channels}"
        window = self._window() if self.kind not in ("pointwise", "strassen", "global_average_pool") else ()
        inner = (*self.inner_epilogue, "then") if self.kind == "separable" else ()
        return _join(shape, *window, *inner, *self.epilogue)

    def _window(self) -> tuple[str, ...]:
        padding = str(self.padding[0]) if len(set(self.padding)) == 1 else ",".join(map(str, self.padding))
        parts = [f"k{self.kernel[0]}x{self.kernel[1]}", "s" + _pair(self.stride), f"p{padding}"]
        if self.dilation != (1, 1):
            parts.append("d" + _pair(self.dilation))
        if self.kind == "grouped_conv2d":
            parts.append(f"g{self.groups}")
        return tuple(parts)

    @staticmethod
    def parse(text: str) -> "Layer":
        """The inverse of ``str``.

        :raises LayerSyntaxError: it is no descriptor, is spelled in another way, or the layer has an empty result.
        """
        found = _PATTERN.fullmatch(text)
        if found is None or found["kind"] not in KINDS:
            raise LayerSyntaxError(f"not a layer descriptor: {text!r}")
        epilogue = tuple(found["epilogue"].split())
        inner_epilogue = tuple((found["inner_epilogue"] or "").split())
        if not {*epilogue, *inner_epilogue} <= set(EPILOGUES):
            raise LayerSyntaxError(f"unknown epilogue in {text!r}")
        height, width = int(found["height"] or 1), int(found["width"] or 1)
        kernel = (int(found["kh"] or 1), int(found["kw"] or 1))
        if found["kind"] == "global_average_pool":
            kernel = (height, width)
        layer = Layer(
            kind=found["kind"],
            batch=int(found["batch"] or 1),
            height=height,
            width=width,
            in_channels=int(found["in_channels"]),
            out_channels=int(found["out_channels"] or found["in_channels"]),
            kernel=kernel,
            stride=_parse_pair(found["sh"], found["sw"]),
            padding=_parse_padding(found["padding"]),
            dilation=_parse_pair(found["dh"], found["dw"]),
            epilogue=epilogue,
            inner_epilogue=inner_epilogue,
            groups=int(found["groups"] or 1),
            dtype=found["dtype"] or "float32",
        )
        sizes = (layer.batch, layer.in_channels, layer.out_channels, height, width, *layer.kernel, *layer.stride)
        is_empty = 0 in (*sizes, *layer.dilation, layer.groups) or min(layer.out_height, layer.out_width) < 1
        if is_empty or layer.in_channels % layer.groups or layer.out_channels % layer.groups:
            raise LayerSyntaxError(f"no layer has these sizes: {text!r}")
        if str(layer) != text:
            raise LayerSyntaxError(f"not a layer descriptor: {text!r}, which would be {str(layer)!r}")
        return layer


def _join(*parts: str) -> str:
    return " ".join(parts)


def _pair(value: tuple[int, int]) -> str:
    return str(value[0]) if value[0] == value[1] else f"{value[0]}x{value[1]}"


def _parse_pair(first: str | None, second: str | None) -> tuple[int, int]:
    return int(first or 1), int(second or first or 1)


def _parse_padding(text: str | None) -> tuple[int, int, int, int]:
    sides = [int(side) for side in (text or "0").split(",")]
    top, left, bottom, right = sides * 4 if len(sides) == 1 else sides
    return top, left, bottom, right
