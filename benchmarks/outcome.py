"""Compiles an ONNX model in this process, runs it, and says how that went: right, refused, wrong or broken."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import tvm
from tvm import relax

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from tvm_pipeline.codegen.build import build
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.import_onnx import import_onnx
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.passes.schedule_kernels import schedule_kernels

RIGHT, REFUSED, WRONG, BROKEN = "right", "refused", "wrong", "broken"
KINDS = (RIGHT, REFUSED, WRONG, BROKEN)
Arrays = Sequence[np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """``kind`` is one of ``KINDS``; ``detail`` is the refusal, the error, or what was wrong."""

    kind: str
    detail: str = ""


def outcome_of(
    model: onnx.ModelProto, inputs: Arrays, expected: Arrays, target: CpuTarget, tolerance: float = 1e-3
) -> Outcome:
    """What becomes of a model.

    :param inputs: in the order of the graph's inputs.
    :param expected: what the outputs should be: shapes, dtypes, numbers, NaN where there is NaN.
    :param tolerance: relative, of float32's; a hundredth of it is allowed as a share of an output's largest value.
    """
    try:
        outputs = compile_and_run(model, inputs, target)
    except UserError as refusal:
        is_clear = any(is_named(node, str(refusal)) for node in model.graph.node)
        return Outcome(REFUSED if is_clear else BROKEN, str(refusal))
    except Exception as error:  # whatever the pipeline throws is what is looked for
        lines = str(error).strip().splitlines() or [""]
        return Outcome(BROKEN, f"{type(error).__name__}: {lines[0]} ... {lines[-1]}"[:600])
    difference = first_difference(outputs, expected, tolerance)
    return Outcome(RIGHT) if difference is None else Outcome(WRONG, difference)


def is_named(node: onnx.NodeProto, message: str) -> bool:
    """Whether a refusal names the node's operator, and the node by its name or by a tensor that it makes."""
    return node.op_type in message and any(repr(name) in message for name in (node.name, *node.output) if name)


def compile_and_run(model: onnx.ModelProto, inputs: Arrays, target: CpuTarget) -> list[np.ndarray]:
    """The outputs of the model, compiled for ``target`` without logs, on TVM's VM."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "model.onnx"
        onnx.save(model, path)
        module = import_onnx(path)
        with target.tvm:
            module, _ = schedule_kernels(lower(module, target.unit), TuningLogs([]), target.unit, 1, lambda _: None)
            executable = build(module, target).executable
        machine = relax.VirtualMachine(executable, tvm.cpu())
        output = machine["main"](*(tvm.runtime.tensor(np.asarray(array, order="C")) for array in inputs))
    return [tensor.numpy() for tensor in ([output] if isinstance(output, tvm.runtime.Tensor) else output)]


@contextlib.contextmanager
def _quiet():  # type: ignore[no-untyped-def]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def first_difference(outputs: Arrays, expected: Arrays, tolerance: float) -> str | None:
    """What is wrong with the first output that is; None where all are right."""
    if len(outputs) != len(expected):
        return f"{len(outputs)} outputs for {len(expected)}"
    differences = (_difference(*pair, tolerance) for pair in zip(outputs, expected, strict=True))
    return next((f"output {i}: {text}" for i, text in enumerate(differences) if text is not None), None)


def _difference(output: np.ndarray, expected: np.ndarray, tolerance: float) -> str | None:
    if output.shape != expected.shape:
        return f"shape {output.shape}, not {expected.shape}"
    if output.dtype != expected.dtype:
        return f"dtype {output.dtype}, not {expected.dtype}"
    if output.dtype.kind in "biu":
        differing = int((output != expected).sum())
        return f"{differing} of {output.size} elements differ" if differing else None
    relative = max(tolerance, 4 * float(np.finfo(output.dtype).eps))
    finite = np.abs(expected[np.isfinite(expected)].astype(np.float64))
    absolute = relative / 100 * float(finite.max(initial=0)) + float(np.finfo(output.dtype).tiny)
    output, expected = output.astype(np.float64), expected.astype(np.float64)
    if np.allclose(output, expected, rtol=relative, atol=absolute, equal_nan=True):
        return None
    with np.errstate(invalid="ignore"):
        return f"off by {np.nanmax(np.abs(output - expected)):.3g}, where the largest is {finite.max(initial=0):.3g}"
