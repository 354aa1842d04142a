"""Compiles an ONNX file, and runs module.so with nothing but TVM's runtime beside ONNX Runtime."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import tvm
from tvm import relax

from mobilenet_tvm.base.compiled import Built
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from mobilenet_tvm.base.protocol import Emit
from tvm_pipeline.compile import compile_model
from tvm_pipeline.hardware.target import CpuTarget

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Compiled:
    """A module beside the model that it was made from; ``result`` is what the compiler said."""

    onnx: Path
    result: Built
    warnings: tuple[str, ...] = ()

    @property
    def layers(self) -> list[str]:
        """The descriptors of the kernels that a workload defined."""
        return [kernel.layer for kernel in self.result.kernels if kernel.layer is not None]

    def inputs(self, seed: int = 0) -> Arrays:
        random = np.random.default_rng(seed)
        return [random.standard_normal(tensor.shape).astype(tensor.dtype) for tensor in self.result.inputs]

    def error(self, inputs: Arrays | None = None) -> float:
        """The largest deviation from ONNX Runtime, as a share of each output's range."""
        inputs = self.inputs() if inputs is None else inputs
        expected, found = run_onnxruntime(self.onnx, inputs), run_module(self.result.module, inputs)
        assert [one.shape for one in found] == [one.shape for one in expected]
        return max(share_of_range(one, other) for one, other in zip(found, expected, strict=True))


def share_of_range(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest deviation; a NaN anywhere counts as infinite."""
    deviation = np.abs(found.astype(np.float64) - expected).max()
    scale = np.ptp(expected) or 1.0
    return float("inf") if np.isnan(deviation) else float(deviation / scale)


def run_onnxruntime(path: Path, inputs: Arrays) -> Arrays:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = onnx.load(path)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, dict(zip([one.name for one in session.get_inputs()], inputs, strict=True))))


def run_module(path: Path, inputs: Arrays) -> Arrays:
    """As a user of plain TVM would do it, without this project."""
    machine = relax.VirtualMachine(tvm.runtime.load_module(str(path)), tvm.cpu())
    output = machine["main"](*(tvm.runtime.tensor(one) for one in inputs))
    return [output.numpy()] if isinstance(output, tvm.runtime.Tensor) else [one.numpy() for one in output]


def compile_here(
    path: Path,
    target: CpuTarget,
    logs: TuningLogs,
    output: Path,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> Compiled:
    """Compiles in this process."""
    stream = io.StringIO()
    result = compile_model(path, target, logs, 1, output, shapes, Emit(stream))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    return Compiled(path, result, tuple(event["message"] for event in events if event["event"] == "warning"))
