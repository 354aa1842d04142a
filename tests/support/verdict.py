"""What becomes of an ONNX file: right, refused, wrong or broken. In this process, and without linking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from outcome import compile_and_run

import targets
from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.hardware.target import Target

TOLERANCES = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-4}
"""Of an output's range, by its dtype."""
Outcome = Literal["right", "refused", "wrong", "broken"]


@dataclass(frozen=True)
class Verdict:
    """What was found; ``why`` says more where it is not right."""

    outcome: Outcome
    why: str = ""


def judge(
    model: onnx.ModelProto,
    inputs: Sequence[np.ndarray],
    expected: Sequence[np.ndarray],
    target: str = "x86-64-v3",
    steps: Sequence[float | None] | None = None,
    slack: Sequence[float] | None = None,
) -> Verdict:
    """Compiles the model for this machine and compares all its outputs with those that are right.

    :param steps: of a quantised model: what each output may be off by, in its own unit.
    :param slack: how much farther than a share of the range each output may be off.
    """
    try:
        outputs = compile_and_run(model, inputs, Target.from_json(targets.load(target), "float32"))
    except UserError as error:
        return Verdict("refused", str(error))
    except Exception as error:
        lines = str(error).strip().splitlines()
        return Verdict("broken", f"{type(error).__name__}: {lines[-1] if lines else ''}")
    if len(outputs) != len(expected):
        return Verdict("wrong", f"{len(outputs)} outputs for {len(expected)}")
    for index, (actual, wanted) in enumerate(zip(outputs, expected, strict=True)):
        step = steps[index] if steps is not None else None
        if fault := difference(actual, wanted, step, slack[index] if slack is not None else 0.0):
            return Verdict("wrong", f"output {index}: {fault}")
    return Verdict("right")


def difference(actual: np.ndarray, wanted: np.ndarray, step: float | None = None, slack: float = 0.0) -> str:
    """In words, how an output differs from the right one; an empty text where it does not.

    :param step: the largest error that is right, in the output's unit; by default a share of its range.
    :param slack: what is added to that share.
    """
    if actual.shape != wanted.shape or actual.dtype != wanted.dtype:
        return f"{actual.dtype}{actual.shape} for {wanted.dtype}{wanted.shape}"
    if not np.issubdtype(wanted.dtype, np.floating) and step is None:
        return "" if np.array_equal(actual, wanted) else f"{np.count_nonzero(actual != wanted)} elements differ"
    finite = np.isfinite(wanted)
    if not np.array_equal(actual[~finite], wanted[~finite], equal_nan=True) or not np.isfinite(actual[finite]).all():
        return "NaN or infinity elsewhere"
    if not finite.any():
        return ""
    error = np.abs(actual[finite].astype(np.float64) - wanted[finite]).max()
    scale = max(np.ptp(wanted[finite].astype(np.float64)), np.abs(wanted[finite]).max() / 10, 1e-30)
    allowed = TOLERANCES[wanted.dtype.name] * scale + slack if step is None else 1.001 * step
    return "" if error <= allowed else f"off by {error / scale:.1e} of the range"
