"""Which elements a Resize reads along one axis, and with what weights: ONNX's Resize-19, an axis at a time.

Sizes and scales are known, so that all of it is tables. Coordinates are computed in float32, like ONNX Runtime's
(``upsamplebase.h``): where two pixels are equally near, rounding decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_F = np.float32


@dataclass(frozen=True)
class Axis:
    """One axis of a Resize.

    :ivar length: of the input.
    :ivar resized: length of the output.
    :ivar scale: as the model gives it, or the two lengths' quotient.
    :ivar region: begin and end of what ``tf_crop_and_resize`` takes, as a share of the input.
    """

    number: int
    length: int
    resized: int
    scale: float
    region: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Rule:
    """The attributes of a Resize."""

    mode: str
    coordinates: str
    nearest: str
    cubic: float
    antialias: bool
    exclude_outside: bool
    extrapolation: float


@dataclass(frozen=True)
class Taps:
    """``output[o] = sum over k of input[indices[o, k]] * weights[o, k]``, outside ``inside[o]`` the extrapolation.

    :ivar indices: int64 ``[resized, taps]``, all of them valid.
    :ivar weights: float32 ``[resized, taps]``.
    :ivar inside: bool ``[resized]``.
    """

    indices: Array
    weights: Array
    inside: Array

    @property
    def is_identity(self) -> bool:
        """Whether the output is the input."""
        indices = self.indices
        same = indices.shape[1] == 1 and np.array_equal(indices[:, 0], np.arange(len(indices)))
        return bool(same and self.inside.all() and (self.weights == 1).all())


def taps_of(axis: Axis, rule: Rule) -> Taps:
    """The table of one axis; of another length than ``axis.length`` the identity's does not hold."""
    places = _COORDINATES[rule.coordinates](axis, np.arange(axis.resized, dtype=_F)).astype(_F)
    inside = np.ones(axis.resized, bool)
    if rule.coordinates == "tf_crop_and_resize":
        inside = (places >= 0) & (places <= axis.length - 1)
    if rule.mode == "nearest":
        indices = _NEAREST[rule.nearest](places, axis).astype(np.int64)[:, None]
        weights = np.ones(indices.shape, _F)
    elif rule.antialias and axis.scale < 1:
        indices, weights = _antialiased(places, axis, rule)
    elif rule.mode == "linear":
        indices, weights = _linear(places, axis)
    else:
        indices, weights = _cubic(places, rule)
    if rule.exclude_outside and rule.mode != "nearest":
        weights = np.where((indices >= 0) & (indices < axis.length), weights, 0)
        weights = weights / weights.sum(axis=1, keepdims=True)
    return _merged(Taps(np.clip(indices, 0, axis.length - 1), weights.astype(_F), inside))


def _merged(taps: Taps) -> Taps:
    """Without columns that weigh nothing anywhere."""
    used = (taps.weights != 0).any(axis=0)
    used[0] |= not used.any()
    return Taps(taps.indices[:, used], taps.weights[:, used], taps.inside)


def _half_pixel(axis: Axis, x: Array) -> Array:
    return (x + _F(0.5)) / _F(axis.scale) - _F(0.5)


def _pytorch_half_pixel(axis: Axis, x: Array) -> Array:
    return _half_pixel(axis, x) if axis.resized > 1 else np.zeros_like(x)


def _half_pixel_symmetric(axis: Axis, x: Array) -> Array:
    """Keeps the centre where it is when the scaled length is not whole."""
    adjustment = axis.resized / (axis.scale * axis.length)
    return _F(axis.length / 2 * (1 - adjustment)) + _half_pixel(axis, x)


def _align_corners(axis: Axis, x: Array) -> Array:
    if axis.resized == 1:
        return np.zeros_like(x)
    return x * _F(axis.length - 1) / _F(axis.resized - 1)


def _asymmetric(axis: Axis, x: Array) -> Array:
    return x / _F(axis.scale)


def _crop(axis: Axis, x: Array) -> Array:
    begin, end = axis.region
    last = axis.length - 1
    if axis.resized == 1:
        return np.full_like(x, 0.5 * (begin + end) * last)
    return _F(begin * last) + x * _F((end - begin) * last) / _F(axis.resized - 1)


_COORDINATES: Mapping[str, Callable[[Axis, Array], Array]] = {
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _half_pixel_symmetric,
    "pytorch_half_pixel": _pytorch_half_pixel,
    "align_corners": _align_corners,
    "asymmetric": _asymmetric,
    "tf_crop_and_resize": _crop,
    "tf_half_pixel_for_nn": lambda axis, x: (x + _F(0.5)) / _F(axis.scale),
}

_NEAREST: Mapping[str, Callable[[Array, Axis], Array]] = {
    "round_prefer_floor": lambda x, _: np.ceil(x - _F(0.5)),
    "round_prefer_ceil": lambda x, _: np.floor(x + _F(0.5)),
    "floor": lambda x, _: np.floor(x),
    "ceil": lambda x, _: np.ceil(x),
    "simple": lambda x, axis: np.ceil(x) if axis.scale < 1 else np.trunc(x),
}
COORDINATES, NEAREST = tuple(_COORDINATES), tuple(_NEAREST)


def _linear(places: Array, axis: Axis) -> tuple[Array, Array]:
    places = np.clip(places, 0, axis.length - 1)
    first = np.floor(places)
    share = places - first
    return np.stack([first, first + 1], axis=1).astype(np.int64), np.stack([1 - share, share], axis=1)


def _cubic(places: Array, rule: Rule) -> tuple[Array, Array]:
    """Four neighbours by Keys' kernel (1981) with the coefficient ``rule.cubic``."""
    indices = np.floor(places)[:, None] + np.arange(-1, 3)
    return indices.astype(np.int64), _keys(places[:, None] - indices, rule.cubic)


def _keys(distance: Array, a: float) -> Array:
    d = np.abs(distance.astype(np.float64))
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _antialiased(places: Array, axis: Axis, rule: Rule) -> tuple[Array, Array]:
    """The kernel widened by the scale, its weights summing to one; borders stand for what is outside of them."""
    reach = (1 if rule.mode == "linear" else 2) / axis.scale
    offsets = np.arange(-int(np.ceil(reach)), int(np.ceil(reach)) + 2)
    indices = np.floor(places)[:, None] + offsets
    distance = (indices - places[:, None]) * axis.scale
    weights = np.clip(1 - np.abs(distance), 0, None) if rule.mode == "linear" else _keys(distance, rule.cubic)
    return indices.astype(np.int64), weights / weights.sum(axis=1, keepdims=True)
