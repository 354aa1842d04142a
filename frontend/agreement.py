"""Whether an ONNX file computes what its module computes: ONNX Runtime beside PyTorch, output by output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOLERANCE = 1e-4  # largest error against PyTorch, as a share of the output's range
_TIES = 1e-3  # the share of an integer output's elements that may differ: argmax of two values equal but for rounding

Inputs = Mapping[str, torch.Tensor]
Outputs = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Difference:
    """The largest difference of one output between two runs.

    :ivar scale: the expected output's range; of one value, or of equal ones, their magnitude.
    """

    output: str
    largest: float
    scale: float
    fits: bool

    @property
    def relative(self) -> float:
        """As a share of the scale."""
        return self.largest / self.scale if self.scale else self.largest


class OnnxRuntime:
    """An ONNX file, loaded."""

    def __init__(self, data: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(self, inputs: Inputs) -> list[NDArray[np.generic]]:
        """The outputs, in the file's order. An input that the file does not use is left out."""
        used = {value.name for value in self._session.get_inputs()}
        arrays: list[NDArray[np.generic]] = self._session.run(
            None, {name: tensor.numpy() for name, tensor in inputs.items() if name in used}
        )
        return arrays


def worst_difference(actual: list[NDArray[np.generic]], expected: Outputs) -> Difference:
    """Of all outputs the difference that is largest for its output's scale."""
    differences = [
        _difference(name, array, tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy())
        for array, (name, tensor) in zip(actual, expected.items(), strict=True)
    ]
    return max(differences, key=lambda difference: (not difference.fits, difference.relative))


def _difference(name: str, actual: NDArray[np.generic], expected: NDArray[np.generic]) -> Difference:
    import numpy as np

    if actual.shape != expected.shape:
        return Difference(name, np.inf, 1.0, False)
    if not np.issubdtype(expected.dtype, np.floating):
        wrong = float(np.mean(actual != expected)) if actual.size else 0.0
        return Difference(name, wrong, 1.0, wrong <= _TIES)
    left, right = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        errors = np.where((left == right) | (np.isnan(left) & np.isnan(right)), 0.0, abs(left - right))
    largest, scale = float(errors.max(initial=0.0)), _scale(right)
    return Difference(name, largest, scale, largest <= TOLERANCE * scale)  # so written that a NaN fails


def _scale(values: NDArray[np.float64]) -> float:
    import numpy as np

    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0
    return float(finite.max() - finite.min()) or float(abs(finite).max())
