"""A module becomes an ONNX file, which appears only after PyTorch and ONNX Runtime agreed on what it computes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from frontend.loading import Loaded, load
from frontend.onnx_file import INPUT_NAME, to_onnx
from mobilenet_tvm.base.answers import Exported, OnnxInput
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.jobs import ExportJob
from mobilenet_tvm.base.paths import replacing
from mobilenet_tvm.base.protocol import Emit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOLERANCE = 1e-4  # largest error against PyTorch, as a share of the output's range
_SEED = 20170417


def export(job: ExportJob, emit: Emit) -> Exported:
    """Write the file and say what is in it.

    :raises UserError: what is asked for does not exist or does not fit; nothing is written then.
    """
    out = _checked_destination(job.out)
    emit.progress("load", detail=job.model)
    loaded = load(job, emit)
    example, other = _inputs(loaded.shape)
    expected = _run(loaded, other)
    emit.progress("export", detail=loaded.name)
    data = to_onnx(loaded.exportable, example, loaded.name)
    emit.progress("verify", detail=loaded.name)
    max_abs_err, output_range = _compare(data, other, expected, loaded)
    with replacing(out) as temporary:
        temporary.write_bytes(data)
    return Exported(
        onnx=out,
        sha256=hashlib.sha256(data).hexdigest(),
        model=loaded.name,
        weights=loaded.weights,
        weights_note=loaded.weights_note,
        input=OnnxInput(name=INPUT_NAME, shape=loaded.shape),
        preprocessing=loaded.preprocessing,
        labels=loaded.labels,
        max_abs_err=max_abs_err,
        output_range=output_range,
    )


def _checked_destination(out: Path) -> Path:
    path = out.absolute()
    if path.is_dir():
        raise UserError(f"{path} is a folder; name the file to write, such as {path / 'model.onnx'}")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent} to write {path.name} into")
    return path


def _inputs(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Two seeded inputs: one to trace with, and one that the trace has not seen."""
    generator = torch.Generator().manual_seed(_SEED)
    return torch.randn(*shape, generator=generator), torch.randn(*shape, generator=generator)


@torch.no_grad()
def _run(loaded: Loaded, tensor: torch.Tensor) -> NDArray[np.float32]:
    """What PyTorch computes, in the module as it is, before anything is folded."""
    module: nn.Module = loaded.module
    try:
        output = module(tensor)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        shape = "x".join(map(str, tensor.shape))
        raise UserError(f"{loaded.name} does not run on a float32 input of {shape}: {lines[0][:200]}") from error
    if not isinstance(output, torch.Tensor) or not output.is_floating_point():
        raise UserError(
            f"{loaded.name} returns {type(output).__name__}, and an exported module returns one floating-point tensor; "
            "wrap it in a module that returns its logits"
        )
    result: NDArray[np.float32] = output.float().numpy()
    return result


def _compare(data: bytes, tensor: torch.Tensor, expected: NDArray[np.float32], loaded: Loaded) -> tuple[float, float]:
    """Largest difference between ONNX Runtime and PyTorch, and the range of PyTorch's output."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (actual,) = session.run(None, {INPUT_NAME: tensor.numpy()})
    max_abs_err = float(abs(actual - expected).max())
    output_range = float(expected.max() - expected.min())
    if not max_abs_err <= TOLERANCE * output_range:  # so written that a NaN fails too
        message = (
            f"ONNX Runtime and PyTorch disagree on {loaded.name}: by {max_abs_err:.3g}, where the output's range is "
            f"{output_range:.3g}"
        )
        if loaded.of_zoo:
            raise SystemFailure(message)
        raise UserError(f"{message}; a module has to compute the same in every call, without branching on its values")
    return max_abs_err, output_range
