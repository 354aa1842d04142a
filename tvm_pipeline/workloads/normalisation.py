"""Normalisations: of layers, instances and groups (arXiv 1607.06450, 1607.08022, 1803.08494), and by the root mean
square (arXiv 1910.07467)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tvm import te, tirx

from tvm_pipeline.workloads.epilogue import ACTIVATIONS, Expression, narrowed, wide
from tvm_pipeline.workloads.workload import DTYPE, Workload


@dataclass(frozen=True)
class Normalisation:
    """``(x - mean) / sqrt(variance + epsilon) * scale + shift`` over parts of ``[n, g, k, p, l]``.

    :ivar shape: images, groups, members of a group, pixels, lanes.
    :ivar over_lanes: the mean goes over members, pixels and lanes, else every lane has its own.
    :ivar is_centred: else nothing is subtracted, and the mean of squares stands for the variance.
    :ivar affine: which of ``scale`` and ``shift``, each ``[g, k, l]``, there are.
    :ivar activation: of the result, named as in a layer's epilogue.
    """

    shape: tuple[int, int, int, int, int]
    epsilon: float
    over_lanes: bool = True
    is_centred: bool = True
    affine: tuple[str, ...] = ()
    activation: str | None = None
    dtype: str = field(default=DTYPE)

    @property
    def name(self) -> str:
        """An identifier: ``normalise_1x8x8x784x1_scale_shift``."""
        sizes = "normalise_" + "x".join(map(str, self.shape))
        return "_".join([sizes, *self.affine, *([self.activation] if self.activation else [])])


def normalise(layer: Normalisation) -> Workload:
    """The variance is the mean of squared differences, and the mean that of differences from each part's first value:
    sums of large values would lose what tells them apart."""
    images, groups, members, pixels, lanes = layer.shape
    data = te.placeholder(layer.shape, layer.dtype, name="data")
    parts = (images, groups) if layer.over_lanes else (images, groups, lanes)
    count = members * pixels * (lanes if layer.over_lanes else 1)

    def mean_of(name: str, value):  # type: ignore[no-untyped-def]
        axes = [te.reduce_axis((0, members), "k"), te.reduce_axis((0, pixels), "p")]
        axes += [te.reduce_axis((0, lanes), "l")] if layer.over_lanes else []

        def add(n, g, *own):  # type: ignore[no-untyped-def]
            index = [n, g, *axes, *own]
            return te.sum(value(index, (n, g, *own)), axis=axes)

        total = te.compute(parts, add, name=name)
        return te.compute(parts, lambda *part: total(*part) * tirx.const(1 / count, DTYPE), name=f"mean_{name}")

    def first(part: Sequence[Expression]) -> Expression:
        return wide(data[part[0], part[1], 0, 0, 0 if layer.over_lanes else part[2]])

    def difference(index: Sequence[Expression], part: Sequence[Expression]) -> Expression:
        value = wide(data(*index))
        return value - first(part) - offset(*part) if layer.is_centred else value

    if layer.is_centred:
        offset = mean_of("sum", lambda index, part: wide(data(*index)) - first(part))
    variance = mean_of("squares", lambda index, part: difference(index, part) * difference(index, part))
    factor = te.compute(
        parts,
        lambda *part: tirx.const(1.0, DTYPE) / tirx.sqrt(variance(*part) + tirx.const(layer.epsilon, DTYPE)),
        name="factor",
    )
    extra = [te.placeholder((groups, members, lanes), DTYPE, name=name) for name in layer.affine]

    def result(n, g, k, p, lane):  # type: ignore[no-untyped-def]
        part = (n, g) if layer.over_lanes else (n, g, lane)
        value = difference((n, g, k, p, lane), part) * factor(*part)
        for name, operand in zip(layer.affine, extra, strict=True):
            value = value * operand[g, k, lane] if name == "scale" else value + operand[g, k, lane]
        return value if layer.activation is None else ACTIVATIONS[layer.activation](value)

    output = te.compute(layer.shape, result, name="normalised")
    return Workload((data, *extra), narrowed(output, layer.dtype))
