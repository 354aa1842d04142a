"""Resize and Upsample: separable, an axis after the other, each by a table of what it reads."""

from dataclasses import replace

import numpy as np
from tvm import relax, te, tirx

from tvm_pipeline.importer.operators.node import Node, Unsupported, cast, constant, dtype_of, normal_axes, places
from tvm_pipeline.importer.operators.resize_taps import COORDINATES, NEAREST, Axis, Rule, Taps, taps_of
from tvm_pipeline.passes.dataflow import shape_of

_MOST_SEPARATE = 4
"""So many taps are spelled out as gathers that fuse with their neighbours; more are a kernel's loop."""


def convert_resize(node: Node) -> relax.Expr:
    """Resize-11 to 19.

    :raises Unsupported: an unknown mode, or sizes or scales that are not constant.
    """
    rule = _rule(node)
    axes = _axes(node, rule)
    value = node.data if rule.mode == "nearest" else cast(node.data, "float32")
    for axis in axes:
        taps = taps_of(axis, rule)
        if axis.length != axis.resized or not taps.is_identity:
            value = _extrapolated(node, _interpolated(node, value, axis.number, taps), axis.number, taps, rule)
    return cast(value, node.dtype)


def convert_upsample(node: Node) -> relax.Expr:
    """Upsample-7 and 9: Resize with asymmetric coordinates, rounded down."""
    given = node.constant(1)
    scales = np.array(node.get("scales", ()), np.float32) if given is None else given
    inputs = [node.data, None, constant(scales)]
    attributes = {
        "mode": node.get("mode", "nearest"),
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    return convert_resize(replace(node, inputs=inputs, attributes=attributes, opset=11))


def _rule(node: Node) -> Rule:
    rule = Rule(
        mode=node.get("mode", "nearest"),
        coordinates=node.get("coordinate_transformation_mode", "half_pixel"),
        nearest=node.get("nearest_mode", "round_prefer_floor"),
        cubic=float(node.get("cubic_coeff_a", -0.75)),
        antialias=bool(node.get("antialias", 0)),
        exclude_outside=bool(node.get("exclude_outside", 0)),
        extrapolation=float(node.get("extrapolation_value", 0.0)),
    )
    if rule.mode not in ("nearest", "linear", "cubic"):
        raise Unsupported(f"mode {rule.mode!r} is none of nearest, linear, cubic")
    if rule.coordinates not in COORDINATES:
        raise Unsupported(f"coordinate_transformation_mode {rule.coordinates!r} is none of {', '.join(COORDINATES)}")
    if rule.nearest not in NEAREST:
        raise Unsupported(f"nearest_mode {rule.nearest!r} is none of {', '.join(NEAREST)}")
    return rule


def _axes(node: Node, rule: Rule) -> list[Axis]:
    shape = node.shape
    numbers = normal_axes(node.get("axes", range(len(shape))), len(shape))
    lengths = [shape[number] for number in numbers]
    given = [value for value in (node.constant(2), node.constant(3)) if value is not None and value.size]
    if len(given) != 1 or given[0].size != len(numbers):
        raise Unsupported(f"it needs {len(numbers)} scales or sizes, and not both")
    if given[0].dtype.kind == "f":
        scales = [float(scale) for scale in given[0]]
        sizes = [int(np.float32(scale) * np.float32(n)) for scale, n in zip(scales, lengths, strict=True)]
    else:
        sizes, scales = _fitted(
            [int(size) for size in given[0]], lengths, node.get("keep_aspect_ratio_policy", "stretch")
        )
    regions = _regions(node, rule, len(numbers))
    axes = [Axis(*values) for values in zip(numbers, lengths, sizes, scales, regions, strict=True)]
    _check_agreement(axes, rule)
    return axes


def _check_agreement(axes: list[Axis], rule: Rule) -> None:
    """Refuses what ONNX and ONNX Runtime understand differently.

    :raises Unsupported: a scale makes a part of a pixel that moves the last one, or changes pixels but not their
        number; a region is to be taken without being scaled.
    """
    advice = "ONNX and ONNX Runtime differ about it; give sizes in place of scales"
    for axis in axes:
        exact = float(np.float32(axis.scale) * np.float32(axis.length))
        if rule.coordinates in ("align_corners", "tf_crop_and_resize") and abs(exact - axis.resized) > 1e-3:
            raise Unsupported(f"{rule.coordinates} with a scale of {axis.scale:g} makes {exact:g} pixels: {advice}")
        if rule.coordinates == "tf_crop_and_resize" and axis.scale == 1 and axis.region != (0.0, 1.0):
            raise Unsupported(
                f"tf_crop_and_resize of a region without another size (axis {axis.number}): "
                "ONNX and ONNX Runtime differ about it; take the region by Slice"
            )
    if all(axis.length == axis.resized for axis in axes) and any(axis.scale != 1 for axis in axes):
        raise Unsupported(f"scales of {[axis.scale for axis in axes]} change no size: {advice}")


def _fitted(sizes: list[int], lengths: list[int], policy: str) -> tuple[list[int], list[float]]:
    """Sizes and scales by ``keep_aspect_ratio_policy``."""
    scales = [float(np.float32(size) / np.float32(length)) for size, length in zip(sizes, lengths, strict=True)]
    if policy == "stretch":
        return sizes, scales
    scale = min(scales) if policy == "not_larger" else max(scales)
    return [int(np.floor(np.float32(scale) * n + np.float32(0.5))) for n in lengths], [scale] * len(lengths)


def _regions(node: Node, rule: Rule, count: int) -> list[tuple[float, float]]:
    region = node.constant(1) if rule.coordinates == "tf_crop_and_resize" else None
    if region is None or region.size == 0:
        return [(0.0, 1.0)] * count
    return [(float(region[index]), float(region[index + count])) for index in range(count)]


def _interpolated(node: Node, value: relax.Expr, axis: int, taps: Taps) -> relax.Expr:
    if taps.indices.shape[1] > _MOST_SEPARATE:
        return _weighted_sum(node, value, axis, taps)
    result = None
    for indices, weights in zip(taps.indices.T, taps.weights.T, strict=True):
        part = node.emit(relax.op.take(value, places(indices), axis=axis))
        if not (weights == 1).all():
            part = node.emit(relax.op.multiply(part, _along(weights, axis, len(shape_of(value)))))
        result = part if result is None else node.emit(relax.op.add(result, part))
    return result


def _along(values: np.ndarray, axis: int, rank: int) -> relax.Expr:
    """A constant that lies along one axis."""
    return constant(values.reshape([-1 if number == axis else 1 for number in range(rank)]))


def _weighted_sum(node: Node, value: relax.Expr, axis: int, taps: Taps) -> relax.Var:
    """One kernel that loops over the taps: a widened kernel has dozens."""
    shape = list(shape_of(value))
    shape[axis], count = taps.indices.shape

    def resized(data: te.Tensor, indices: te.Tensor, weights: te.Tensor) -> te.Tensor:
        tap = te.reduce_axis((0, count), "tap")

        def element(*at: tirx.Var) -> tirx.Expr:
            source = [*at[:axis], indices[at[axis], tap], *at[axis + 1 :]]
            return te.sum(data(*source) * weights[at[axis], tap], axis=tap)

        return te.compute(shape, element, "resized")

    return node.compute(resized, value, places(taps.indices), constant(taps.weights))


def _extrapolated(node: Node, value: relax.Expr, axis: int, taps: Taps, rule: Rule) -> relax.Expr:
    if taps.inside.all():
        return value
    outside = relax.const(rule.extrapolation, dtype_of(value))
    return node.emit(relax.op.where(_along(taps.inside, axis, len(shape_of(value))), value, outside))
