"""Sample points of a launch: which warps, at which steps of their loops."""

from dataclasses import dataclass

import numpy as np
from tvm import tirx

from tvm_pipeline.backends.gpu_model.device_functions import DeviceFunction
from tvm_pipeline.backends.gpu_model.expression import Array, Evaluator
from tvm_pipeline.hardware.multiprocessor import WARP

SAMPLES = 256
_FRACTIONS = np.sqrt(np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71])) % 1


class Samples:
    """Points that fill the space of blocks, warps and loop steps evenly, the same for every call.

    They are a Kronecker sequence: point ``i`` lies at the fraction ``i * sqrt(prime)`` of each axis, a prime per axis.
    """

    def __init__(self) -> None:
        self._axes = 0

    def along(self, extent: int | Array) -> Array:
        """``[SAMPLES, 1]``: a position below ``extent`` per sample, along an axis of its own."""
        fraction = _FRACTIONS[self._axes % len(_FRACTIONS)]
        self._axes += 1
        return np.minimum(np.floor(self._points(fraction) * extent), extent - 1).astype(np.int64)

    @staticmethod
    def _points(fraction: float) -> Array:
        return ((np.arange(SAMPLES) * fraction + 0.5) % 1)[:, None]


@dataclass(frozen=True)
class WarpSamples:
    """Warps of a launch, or of one block of it.

    :ivar evaluator: knows the thread axes of the sampled warps.
    :ivar active: ``[SAMPLES, WARP]``, False for lanes beyond the block's threads.
    :ivar warps: how many they stand for.
    """

    evaluator: Evaluator
    samples: Samples
    active: Array
    warps: int


def sample_warps(function: DeviceFunction) -> WarpSamples:
    """Evenly chosen warps of a launch, with the values of its thread axes."""
    samples = Samples()
    thread, values = _threads(function, samples)
    for axis, extent in zip("xyz", function.grid, strict=True):
        if f"blockIdx.{axis}" in function.axes:
            values[function.axes[f"blockIdx.{axis}"]] = samples.along(extent)
    warps = function.blocks * function.warps
    return WarpSamples(Evaluator(values), samples, thread < function.threads, warps)


def sample_block(function: DeviceFunction) -> WarpSamples:
    """Evenly chosen warps of the block in the middle of the grid."""
    samples = Samples()
    thread, values = _threads(function, samples)
    for axis, extent in zip("xyz", function.grid, strict=True):
        if f"blockIdx.{axis}" in function.axes:
            values[function.axes[f"blockIdx.{axis}"]] = np.full((SAMPLES, 1), extent // 2)
    return WarpSamples(Evaluator(values), samples, thread < function.threads, function.warps)


def _threads(function: DeviceFunction, samples: Samples) -> tuple[Array, dict[tirx.Var, Array]]:
    """``[SAMPLES, WARP]`` threads of a block, and what their axes are."""
    thread = samples.along(function.warps) * WARP + np.arange(WARP)[None, :]
    x, y, _ = function.block
    positions = {"x": thread % x, "y": thread // x % y, "z": thread // (x * y)}
    values = {
        function.axes[f"threadIdx.{axis}"]: position
        for axis, position in positions.items()
        if f"threadIdx.{axis}" in function.axes
    }
    return thread, values
